"""A corpus of secrets by kind, made at test time so that the repository holds none, and of lines without any."""

from __future__ import annotations

import base64
import json
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).parent

ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "z": string.ascii_lowercase,
    "h": "0123456789abcdef",
    "X": "0123456789ABCDEF",
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
    "k": string.ascii_uppercase + "234567",
    "p": string.ascii_letters + string.digits + "!@#%^*+=-_.",
}

SHAPED = """
supabase-secret      sb_secret_{w31}
supabase-access      sbp_{h40}
supabase-jwt         {jwt}
notion               ntn_{A46}
notion-old           secret_{A43}
github-classic       ghp_{A36}
github-oauth         gho_{A36}
github-user          ghu_{A36}
github-refresh       ghr_{A76}
github-server        ghs_{A36}
github-server-long   ghs_{d7}_{jwt}
github-fine          github_pat_{A22}_{A59}
gitlab               glpat-{w20}
gitlab-routable      glpat-{w27}.{l2}.{l9}
gitlab-deploy        gldt-{w20}
gitlab-runner        glrt-{w20}
gitlab-trigger       glptt-{h40}
gitlab-feed          glft-{w20}
gitlab-old-runner    GR1348941{w20}
openai               sk-{A20}T3BlbkFJ{A20}
openai-project       sk-proj-{w74}T3BlbkFJ{w74}
openai-service       sk-svcacct-{w58}
openai-admin         sk-admin-{w58}
anthropic            sk-ant-api03-{w93}AA
anthropic-admin      sk-ant-admin01-{w93}AA
openrouter           sk-or-v1-{h64}
deepseek             sk-{h32}
groq                 gsk_{A52}
xai                  xai-{A80}
perplexity           pplx-{A48}
huggingface          hf_{A34}
huggingface-org      api_org_{A34}
replicate            r8_{A37}
langsmith            lsv2_pt_{h32}_{h10}
nvidia               nvapi-{w64}
pinecone             pcsk_{A6}_{A63}
tavily               tvly-{A32}
fireworks            fw_{A24}
elevenlabs           sk_{h48}
aws-key-id           AKIA{k16}
aws-temporary        ASIA{k16}
aws-bedrock          ABSK{b128}
aws-mws              amzn.mws.{uuid}
google-api           AIza{w35}
google-oauth-secret  GOCSPX-{w28}
google-access        ya29.{w120}
google-refresh       1//0{w60}
azure-client-secret  {A3}8Q~{w34}
slack-bot            xoxb-{d12}-{d13}-{A24}
slack-user           xoxp-{d12}-{d12}-{d12}-{h32}
slack-app            xapp-1-A{U10}-{d13}-{h64}
slack-config         xoxe.xoxp-1-{A146}
slack-webhook        https://hooks.slack.com/services/T{U8}/B{U8}/{A24}
discord-bot          MT{A22}.{w6}.{w38}
discord-webhook      https://discord.com/api/webhooks/{d18}/{w68}
teams-webhook        https://x.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{h32}/{uuid}
telegram             {d10}:AA{w33}
stripe               sk_live_{A24}
stripe-test          sk_test_{A99}
stripe-restricted    rk_live_{A24}
stripe-webhook       whsec_{A32}
npm                  npm_{A36}
pypi                 pypi-AgEIcHlwaS5vcmc{w80}
rubygems             rubygems_{h48}
nuget                oy2{l43}
clojars              CLOJARS_{l60}
docker               dckr_pat_{w27}
jfrog                AKCp{A69}
sonar                squ_{h40}
digitalocean         dop_v1_{h64}
digitalocean-oauth   doo_v1_{h64}
heroku               HRKU-AA{w58}
vercel               vcp_{A56}
netlify              nfp_{A36}
fly                  fm2_{b80}
planetscale          pscale_tkn_{w43}
planetscale-password pscale_pw_{w43}
neon                 napi_{l64}
databricks           dapi{h32}
airtable             pat{A14}.{h64}
doppler              dp.pt.{A43}
doppler-service      dp.st.dev.{A43}
vault                hvs.{w90}
vault-batch          hvb.{w140}
terraform            {A14}.atlasv1.{w67}
pulumi               pul-{h40}
onepassword          ops_eyJ{b250}
age                  AGE-SECRET-KEY-1{U58}
grafana              glsa_{A32}_{h8}
grafana-cloud        glc_eyJ{b60}
newrelic             NRAK-{U27}
newrelic-insert      NRII-{w32}
sentry               sntrys_eyJ{b120}
sentry-user          sntryu_{h64}
dynatrace            dt0c01.{U24}.{U64}
posthog              phx_{A43}
sourcegraph          sgp_{h40}
prefect              pnu_{A36}
buildkite            bkua_{h40}
circleci             CCIPAT_{A22}_{h40}
readme               rdme_{l70}
postman              PMAK-{h24}-{h34}
shippo               shippo_live_{h40}
easypost             EZAK{A54}
square               sq0atp-{w22}
square-secret        sq0csp-{w43}
shopify              shpat_{h32}
shopify-shared       shpss_{h32}
plaid                access-production-{uuid}
flutterwave          FLWSECK_TEST-{h32}-X
contentful           CFPAT-{w43}
sendgrid             SG.{w22}.{w43}
mailgun              key-{h32}
mailchimp            {h32}-us12
brevo                xkeysib-{h64}-{A16}
resend               re_{A8}_{A24}
mailersend           mlsn.{h64}
hubspot              pat-na1-{uuid}
twilio               SK{h32}
linear               lin_api_{A40}
asana                1/{d16}:{h32}
trello               ATTA{h64}
atlassian            ATATT3xFfGF0{w160}={U8}
bitbucket            ATBB{A32}
figma                figd_{w40}
dropbox              sl.{w138}
okta                 00{A40}
typeform             tfp_{w44}_{A14}
facebook             EAA{A150}
twitter-bearer       AAAAAAAAAAAAAAAAAAAAA{A80}
yandex               AQVN{A36}
alibaba              LTAI{A20}
tencent              AKID{A32}
mapbox               sk.eyJ{A70}.{w22}
tailscale            tskey-auth-{A12}CNTRL-{A32}
openshift            sha256~{w43}
octopus              API-{U28}
duffel               duffel_live_{w43}
dbt                  dbtc_{w40}
apify                apify_api_{A36}
ngrok-like           {z6}_live_{A32}
unknown-vendor       {z5}-api-{A40}
crypt                $2b$12${A53}
bitcoin              xprv9{A107}
"""

NAMED = """
aws-secret-key       AWS_SECRET_ACCESS_KEY          {b40}
azure-storage        AZURE_STORAGE_ACCOUNT_KEY      {b86}==
azure-openai         AZURE_OPENAI_API_KEY           {h32}
cohere               COHERE_API_KEY                 {A40}
mistral              MISTRAL_API_KEY                {A32}
deepgram             DEEPGRAM_API_KEY               {h40}
datadog              DATADOG_API_KEY                {h32}
datadog-app          DD_APP_KEY                     {h40}
cloudflare           CLOUDFLARE_API_TOKEN           {w40}
cloudflare-global    CF_GLOBAL_API_KEY              {h37}
heroku-uuid          HEROKU_API_KEY                 {uuid}
snyk                 SNYK_TOKEN                     {uuid}
postmark             POSTMARK_SERVER_TOKEN          {uuid}
npm-legacy           NPM_AUTH_TOKEN                 {uuid}
twilio-auth          TWILIO_AUTH_TOKEN              {h32}
algolia              ALGOLIA_ADMIN_KEY              {h32}
fastly               FASTLY_API_TOKEN               {w32}
okta-client          OKTA_CLIENT_SECRET             {w40}
auth0                AUTH0_CLIENT_SECRET            {w64}
github-oauth-secret  GITHUB_CLIENT_SECRET           {h40}
discord-client       DISCORD_CLIENT_SECRET          {w32}
spotify              SPOTIFY_CLIENT_SECRET          {h32}
twitter              TWITTER_CONSUMER_SECRET        {A50}
jwt-secret           JWT_SECRET                     {A48}
session-secret       SESSION_SECRET                 {h64}
rails                SECRET_KEY_BASE                {h128}
django               DJANGO_SECRET_KEY              {p50}
laravel              APP_KEY                        base64:{b43}=
encryption           ENCRYPTION_KEY                 {b43}=
database-password    DB_PASSWORD                    {p16}
postgres-password    POSTGRES_PASSWORD              {A20}
redis-password       REDIS_PASSWORD                 {A32}
smtp-password        SMTP_PASS                      {z4} {z4} {z4} {z4}
mysql-pwd            MYSQL_PWD                      {p14}
admin-password       ADMIN_PASSWORD                 {p10}7
pagerduty            PAGERDUTY_API_KEY              {w20}
opsgenie             OPSGENIE_API_KEY               {uuid}
rollbar              ROLLBAR_ACCESS_TOKEN           {h32}
travis               TRAVIS_API_TOKEN               {A22}
codecov              CODECOV_TOKEN                  {uuid}
zendesk              ZENDESK_API_TOKEN              {A40}
intercom             INTERCOM_ACCESS_TOKEN          {b60}=
mixpanel             MIXPANEL_API_SECRET            {h32}
braintree            BRAINTREE_PRIVATE_KEY          {h32}
paypal               PAYPAL_CLIENT_SECRET           {w80}
bitly                BITLY_ACCESS_TOKEN             {h40}
confluent            CONFLUENT_API_SECRET           {b64}
mongodb-atlas        ATLAS_PRIVATE_KEY              {uuid}
ethereum             DEPLOYER_PRIVATE_KEY           0x{h64}
webhook-secret       WEBHOOK_SIGNING_SECRET         {A32}
"""

SHAPED_AROUND = {
    "log": "2026-11-25 08:14:02,114 WARNING http: retry with {} after 401 from upstream",
    "prose": "Please use {} until Friday, then ask for a new one.",
    "error": "requests.exceptions.HTTPError: 403 Client Error: credentials '{}' are not valid for this resource",
    "alone": "{}",
    "tuple": "('x-anything', '{}'),",
    "markdown": "| staging | `{}` | rotates monthly |",
    "diff": "+      - {}",
    "call": 'client = Client("{}", timeout=30)',
    "query": "GET /v1/items?auth={}&page=2 HTTP/1.1",
    "escaped": '{{"event":"login\\n{}\\nretry"}}',
    "coloured": "\x1b[32m{}\x1b[0m ready",
    "percent": "next=%2Fcallback%3Fvalue%3D{}%26state%3D1",
}

NAMED_AROUND = {
    "env": "{NAME}={}",
    "quoted env": '{NAME}="{}"',
    "export": "export {NAME}='{}'",
    "json": '{{"id": 7, "{name}": "{}", "region": "eu"}}',
    "camel json": '{{"{camel}":"{}","retries":3}}',
    "json in json": '{{"body": "{{\\"{name}\\": \\"{}\\", \\"n\\": 1}}"}}',
    "yaml": "  {name}: {}",
    "quoted yaml": "  {kebab}: '{}'",
    "toml": '{name} = "{}"',
    "ini": "{kebab} = {}",
    "python": '    {name} = "{}"  # rotate',
    "typescript": "const {camel}: string = '{}';",
    "go": '\t{camel} := "{}"',
    "flag": "deploy --{kebab} {} --region eu",
    "flag with sign": "deploy --{kebab}={} --region eu",
    "docker": "ENV {NAME} {}",
    "kubernetes": '        - name: {NAME}\n          value: "{}"',
    "xml": "<{camel}>{}</{camel}>",
    "attribute": '<add key="{camel}" value="{}" />',
    "properties": "spring.{kebab}={}",
    "terraform": '  {name}    = "{}"',
    "log": "INFO request failed, {name}={}, status=401",
    "repr": "{{'{name}': '{}', 'timeout': 30}}",
    "kwargs": "connect(host='h', {name}='{}')",
    "header": 'curl -H "X-{kebab}: {}" https://api.example.com/v1',
}

WRAPPED: dict[str, Callable[[str], str]] = {
    "base64": lambda text: f"payload: {base64.b64encode(text.encode()).decode()} end",
    "base64 url": lambda text: f"state={base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}",
    "hex": lambda text: f"bytes {text.encode().hex()} end",
    "percent": lambda text: f"q={quote(text, safe='')}&x=1",
    "unicode": lambda text: '{"x":"' + "".join(f"\\u{ord(sign):04x}" for sign in text) + '"}',
    "json": lambda text: json.dumps({"line": text, "n": 1}),
    "json twice": lambda text: json.dumps({"line": json.dumps({"line": text})}),
}


@dataclass(frozen=True)
class Case:
    """A text with one secret. Gone is it when no twelve signs of `secret` in a row are left; `kept` should stay."""

    kind: str
    around: str
    text: str
    secret: str
    kept: tuple[str, str]


class Maker:
    """Makes secrets and texts from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def signs(self, alphabet: str, count: int) -> str:
        """Drawn signs; a longer run holds signs of every class of its alphabet, as real tokens do."""
        signs = ALPHABETS[alphabet]
        while True:
            drawn = "".join(self.random.choices(signs, k=count))
            classes = [group for group in (string.digits, string.ascii_letters) if set(group) & set(signs)]
            if count < 10 or all(set(group) & set(drawn) for group in classes):
                return drawn

    def made(self, pattern: str) -> str:
        """A pattern such as `ghp_{A36}`, filled."""
        return re.sub(r"\{([AlUzhXdwbkp]\d+|uuid|jwt)\}", lambda part: self._part(part[1]), pattern)

    def _part(self, name: str) -> str:
        if name == "uuid":
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if name == "jwt":
            claims = {"iss": "supabase", "role": "service_role", "iat": self.random.randrange(10**9)}
            parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(claims)]
            return ".".join(
                [*(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts), self.signs("w", 43)]
            )
        return self.signs(name[0], int(name[1:]))

    def pem(self, kind: str = "RSA PRIVATE KEY", lines: int = 12) -> str:
        """A private key's block."""
        body = "\n".join(self.signs("b", 64) for _ in range(lines))
        return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


def rows(table: str) -> list[list[str]]:
    """The lines of a table, split: the last column may hold blanks."""
    return [line.split(maxsplit=2 if table is NAMED else 1) for line in table.strip().splitlines()]


def spellings(name: str) -> dict[str, str]:
    """A name as different languages write it."""
    words = name.lower().split("_")
    camel = words[0] + "".join(word.title() for word in words[1:])
    return {"NAME": name, "name": name.lower(), "kebab": "-".join(words), "camel": camel}


def shaped(maker: Maker) -> Iterator[Case]:
    """Every kind that tells itself by its shape, in three of the contexts."""
    for kind, pattern in rows(SHAPED):
        for around in maker.random.sample(sorted(SHAPED_AROUND), 3):
            yield case(kind, around, SHAPED_AROUND[around], maker.made(pattern))


def named(maker: Maker) -> Iterator[Case]:
    """Every kind that only its name tells, in four of the contexts."""
    for kind, name, pattern in rows(NAMED):
        for around in maker.random.sample(sorted(NAMED_AROUND), 4):
            yield case(kind, around, NAMED_AROUND[around], maker.made(pattern), **spellings(name))


def contexts(maker: Maker) -> Iterator[tuple[str, str, list[str]]]:
    """The lines of `secret_contexts.txt`, by authors who had not seen the rules: kind, text and its secrets.

    A line is `kind | text` or `kind:encoding | text`; a secret stands in brackets of the mathematicians.
    """
    for line in (HERE / "secret_contexts.txt").read_text(encoding="utf-8").splitlines():
        name, _, template = line.partition(" | ")
        kind, _, encoding = name.partition(":")
        parts = re.split(r"⟦(.*?)⟧", maker.made(_signs(template)), flags=re.DOTALL)
        text = "".join(parts)
        yield kind, WRAPPED[encoding](text) if encoding else text, parts[1::2]


def _signs(line: str) -> str:
    return line.translate({ord("␤"): "\n", ord("␉"): "\t", ord("␛"): "\x1b"})


def wrapped(maker: Maker) -> Iterator[Case]:
    """Secrets in encoded text."""
    for name, wrap in WRAPPED.items():
        for kind, pattern in maker.random.sample(rows(SHAPED), 12):
            plain = case(kind, name, "first {} last", maker.made(pattern))
            yield Case(kind, name, wrap(plain.text), plain.secret, ("", ""))
        for kind, variable, pattern in maker.random.sample(rows(NAMED), 6):
            plain = case(kind, name, "A=1\n{NAME}={}\nB=2", maker.made(pattern), **spellings(variable))
            yield Case(kind, name, wrap(plain.text), plain.secret, ("", ""))


def leaks(text: str, secret: str) -> bool:
    """Whether twelve signs of a secret in a row are left in a text, plain or in any of the encodings above."""
    return any(spelling in text for at in range(max(1, len(secret) - 11)) for spelling in encoded(secret[at : at + 12]))


def encoded(part: str) -> Iterator[str]:
    """A part of a secret in each encoding; in base64, the signs that are its own wherever it begins."""
    yield from (part, json.dumps(part)[1:-1], quote(part, safe=""), part.encode().hex())
    yield "".join(f"\\u{ord(sign):04x}" for sign in part)
    for offset in range(3):
        plain = base64.b64encode(b"\0" * offset + part.encode() + b"\0\0").decode()
        core = plain[-(-offset * 8 // 6) : (offset + len(part.encode())) * 8 // 6]
        yield from (core, core.replace("+", "-").replace("/", "_"))


def case(kind: str, around: str, template: str, secret: str, **names: str) -> Case:
    """A template with its names and its secret filled in."""
    text = template
    for key, value in names.items():
        text = text.replace("{" + key + "}", value)
    before, after = text.replace("{{", "{").replace("}}", "}").split("{}")
    return Case(kind, around, before + secret + after, secret, (before, after))


def others(maker: Maker) -> Iterator[Case]:
    """URLs, headers, blocks and command lines."""

    def password() -> str:
        return maker.made("{p5}{A7}9").replace("@", "x")

    templates = {
        "postgres": "postgresql://app:{}@db.example.com:5432/app",
        "redis": "REDIS_URL=redis://:{}@cache:6379/0",
        "mongodb": "mongodb+srv://svc:{}@c0.abc.mongodb.net/db?retryWrites=true",
        "amqp": "amqps://user:{}@mq.example.com/vhost",
        "git-remote": "fatal: unable to access 'https://bot:{}@git.example.com/a/b.git/': 403",
        "userinfo": "remote: https://{}@git.example.com/a/b.git",
        "sentry-dsn": "SENTRY=https://{}@o11.ingest.sentry.io/42",
        "jdbc": "jdbc:postgresql://db/app?user=app&password={}&ssl=true",
        "odbc": "Server=tcp:x;Database=d;User ID=u;Password={};Encrypt=True;",
        "bearer": "Authorization: Bearer {}",
        "bearer-json": '{{"headers": {{"Authorization": "Bearer {}"}}}}',
        "token-header": "authorization: token {}",
        "api-key-header": "x-api-key: {}",
        "private-token": "curl --header 'PRIVATE-TOKEN: {}' https://gitlab.example.com/api",
        "cookie": "Cookie: theme=dark; session={}; lang=en",
        "curl-user": "curl -u admin:{} https://example.com/api",
        "sshpass": "sshpass -p {} ssh root@h",
        "mysql": "mysql -u root -p{} -h db app",
        "netrc": "machine git.example.com login bot password {}",
        "pgpass": "db.example.com:5432:app:svc:{}",
        "npmrc": "//registry.npmjs.org/:_authToken={}",
        "sql": "CREATE USER app IDENTIFIED BY '{}';",
        "sql-role": "ALTER ROLE app WITH PASSWORD '{}';",
        "query-key": "https://maps.example.com/api?q=x&key={}&zoom=3",
        "azure-connection": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=x.net",
        "service-bus": "Endpoint=sb://x.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
        "sas": "https://a.blob.core.windows.net/c/b?sv=2024-01-01&sr=b&sig={}&se=2026-12-01",
        "otpauth": "otpauth://totp/Acme:a?secret={}&issuer=Acme",
        "error": "Incorrect API key provided: {}. You can find your key in the settings.",
        "said": "the access token {} has expired",
        "docker-config": '{{"auths": {{"registry.example.com": {{"auth": "{}"}}}}}}',
        "pypirc": "[pypi]\nusername = __token__\npassword = {}",
        "putty": "Private-Lines: 1\n{}\nPrivate-MAC: 00",
    }
    tokens = {
        "userinfo": "{A40}",
        "sentry-dsn": "{h32}",
        "query-key": "{A32}",
        "azure-connection": "{b86}==",
        "sas": "{b41}%2F%3D",
        "service-bus": "{b43}=",
        "otpauth": "{k32}",
        "docker-config": "{b40}",
        "putty": "{b64}",
    }
    plain = {
        "postgres",
        "redis",
        "mongodb",
        "amqp",
        "git-remote",
        "jdbc",
        "odbc",
        "curl-user",
        "sshpass",
        "mysql",
        "netrc",
        "pgpass",
        "sql",
        "sql-role",
        "pypirc",
    }
    for kind, template in templates.items():
        for _ in range(3):
            secret = password() if kind in plain else maker.made(tokens.get(kind, "{A40}"))
            if kind in {"jdbc", "odbc"}:
                secret = maker.made("{A14}")
            yield case(kind, "own", template, secret)
    for kind in ("RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
        block = maker.pem(kind)
        yield case(kind, "file", "before\n{}\nafter", block)
        yield case(
            kind, "json", '{{"type": "service_account", "private_key": "{}\\n", "n": 1}}', block.replace("\n", "\\n")
        )
        yield case(kind, "yaml", "key: |\n  {}\nnext: 1", block.replace("\n", "\n  "))
    pair = base64.b64encode(f"svc:{password()}".encode()).decode()
    yield case("basic", "header", "Authorization: Basic {}", pair)
    yield case("basic", "log", "sent Basic {} twice", pair)


CLEAN = r"""
commit {h40}
{h7} Merge branch 'feature/token-refresh' into main
index {h7}..{h7} 100644
    "integrity": "sha512-{b86}==",
    "resolved": "https://registry.npmjs.org/lodash/-/lodash-4.17.21.tgz",
lodash@^4.17.21: resolved "https://registry.yarnpkg.com/lodash/-/lodash-4.17.21.tgz#{h40}"
checksum = "{h64}"
    --hash=sha256:{h64} \
    { url = "https://files.pythonhosted.org/packages/{h2}/{h2}/{h60}/six-1.16.0.tar.gz", hash = "sha256:{h64}" }
github.com/pkg/errors v0.9.1 h1:{b43}=
github.com/pkg/errors v0.9.1/go.mod h1:{b43}=
FROM python:3.11-slim@sha256:{h64}
image: ghcr.io/acme/api:{h12}
      uses: actions/checkout@{h40} # v4
          key: ${{ runner.os }}-pip-${{ hashFiles('**/requirements.txt') }}
          key: node-modules-{h64}
          restore-keys: node-modules-
        env: {GITHUB_TOKEN: "${{ secrets.GITHUB_TOKEN }}"}
          token: ${{ secrets.NPM_TOKEN }}
sha256sum: {h64}  dist/app.tar.gz
md5 = {h32}
ETag: "{h32}"
etag: W/"{h8}-{A27}"
X-Request-Id: {uuid}
x-amz-request-id: {U16}
traceparent: 00-{h32}-{h16}-01
"id": "{uuid}",
"id":"{h32}"
page_id={h32}
https://www.notion.so/acme/Decisions-{h32}?v={h32}&pvs=4
https://notion.so/{h32}
"database_id": "{uuid}", "parent": {"type": "page_id", "page_id": "{uuid}"}
"object": "page", "id": "{uuid}", "created_time": "2026-11-24T12:00:00.000Z"
decision {uuid} was retired by run {h12}
{"run": "{h12}", "level": "info", "at": "2026-11-24T12:00:00.123456+00:00", "took_ms": 1187}
{"checksum": "{h64}", "rows": 1204, "bytes": 482113}
{"sha256":"{h64}","path":"decision_vault/{h2}.jsonl"}
"etag": "{h32}", "last_modified": "Tue, 24 Nov 2026 12:00:00 GMT"
"next_cursor": "{uuid}", "has_more": true
"nextPageToken": "{A40}"
"next_page_token": "{w60}",
continuation_token={A40}
"cursor": "{b40}=="
2026-11-24 12:00:00,123 INFO sync: 12 pushed, 3 pulled, 0 held in 1.2 s
2026-11-24T12:00:00Z ERROR vault: password authentication failed for user "app"
FATAL:  password authentication failed for user "postgres"
notion: token refused. Set NOTION_TOKEN (see .env.example).
configuration: GITHUB_TOKEN is not set; set it to a token with contents: write.
Error: Authentication token expired at 2026-11-24T12:00:00Z
fatal: Authentication failed for 'https://github.com/acme/api.git/'
remote: Invalid username or password.
401 Unauthorized: invalid API key
Incorrect API key provided.
The password must have at least 12 characters, one digit and one symbol.
Passwords are hashed with argon2id and a salt of 16 bytes.
We decided to rotate every API key each quarter and to keep the secret in Vault.
Decision: never store a password in the repository; use the secret manager instead.
The token is read from the environment and is never logged.
Secrets: kept in 1Password, reviewed twice a year.
Who owns the key to the server room? Ask reception for the key card.
The key insight is that tokenization happens before the password check.
Basic authentication and bearer tokens are both supported.
The bearer of this token may read; a bearer token is a credential.
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer ${ACCESS_TOKEN}
Authorization: Basic <credentials>
curl -H "Authorization: Bearer YOUR_API_KEY" https://api.example.com
curl -u "$USER:$PASSWORD" https://example.com
curl -u <user>:<password> https://example.com
git push -u origin main
git push -u origin feature/api-key-rotation
docker run -u 1000:1000 -p 8080:80 nginx
mkdir -p build && tar -xzf app.tar.gz -C build
ssh -p 2222 deploy@example.com
psql -U postgres -h localhost -p 5432 app
mysql -u root -p app < dump.sql
PASSWORD=
PASSWORD=changeme
DB_PASSWORD=<your-password>
API_KEY=your-api-key-here
API_KEY=your_api_key
OPENAI_API_KEY=sk-...
OPENAI_API_KEY=sk-your-key-here
GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
GITHUB_TOKEN=ghp_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX
NOTION_TOKEN=ntn_...
SLACK_BOT_TOKEN=xoxb-your-bot-token
STRIPE_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
SECRET_KEY=${SECRET_KEY:-}
SECRET_KEY=$(openssl rand -hex 32)
SECRET_KEY_FILE=/run/secrets/app_key_1
export TOKEN="$(cat ~/.config/token)"
export PGPASSWORD="$DB_PASSWORD"
DATABASE_URL=postgresql://user:password@localhost:5432/app
DATABASE_URL=postgresql://postgres:[YOUR-PASSWORD]@db.example.com:5432/postgres
DATABASE_URL=postgres://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app
REDIS_URL=redis://localhost:6379/0
SUPABASE_URL=https://abcdefghijklmnopqrst.supabase.co
NEXT_PUBLIC_SITE_URL=https://example.com
sb_publishable_{w31}
password = os.environ["DB_PASSWORD"]
password = os.getenv("PASSWORD", "")
token = request.headers.get("Authorization", "").removeprefix("Bearer ")
api_key = settings.OPENAI_API_KEY
secret = secrets.token_urlsafe(32)
self.token = token
self._password = password or self._prompt_password()
def login(self, username: str, password: str) -> Token:
key = f"{user.id}:{session.id}"
key=lambda row: row["created_at"]
sorted(rows, key=itemgetter("id"))
for key, value in items.items():
cache_key = "user:1234:profile:v2"
"primaryKey": "user_id_2",
primary_key=True, foreign_key="decision_vault.id"
PRIMARY KEY (id), FOREIGN KEY (vault_id) REFERENCES decision_vault(id)
partition_key: tenant-1234
idempotency_key={uuid}
Idempotency-Key: {uuid}
"key": "{uuid}"
"key": "{h64}"
object key: uploads/2026/11/24/{uuid}.png
s3_key = "backups/2026-11-24/{h40}.tar.gz"
public_key = "{b43}="
"publicKey": "{b86}=="
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{b43} dev@laptop
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{b300} dev@laptop
256 SHA256:{b43} dev@laptop (ED25519)
The authenticity of host can't be established. ED25519 key fingerprint is SHA256:{b43}.
gpg: using RSA key {X40}
user.signingkey={X16}
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
MII{b61}
{b64}
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{b400}=
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
url(data:font/woff2;base64,d09GMgABAAAAA{b300})
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEuanMiXX0=
aGVsbG8gd29ybGQsIHRoaXMgaXMgcGxhaW4gdGV4dA==
<path d="M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2z"/>
<svg viewBox="0 0 24 24"><path d="M3 3h18v18H3zM9 9h6v6H9z" fill="#1f6feb"/></svg>
.token-list > .key:hover { color: #{h6}; transition: all .2s ease-in-out }
.btn-primary{background:#{h6};border-radius:4px;padding:.5rem 1rem}.hljs-keyword{color:#{h6}}
:root { --token-color-primary: #{h6}; --key-size: 12px; }
@font-face{font-family:Inter;src:url(/static/media/inter.{h20}.woff2)}
<link rel="stylesheet" href="/static/css/main.{h8}.css" integrity="sha384-{b64}" crossorigin="anonymous">
<script src="/assets/index-{A8}.js" type="module"></script>
<input type="password" name="password" id="password" placeholder="Password" autocomplete="current-password">
<label for="api-key">API key</label><input id="api-key" value="">
<a href="/reset-password?step=2">Forgot your password?</a>
!function(e,t){"object"==typeof exports?module.exports=t():e.token=t()}(this,function(){return{key:1,auth:!0}});
var a=e.getToken(),s=n.password||"",c={key:o.id,secret:r.secret};return t.auth(a,s,c)
const{token:e,refreshToken:t}=await n.json();localStorage.setItem("token",e)
(self.webpackChunk=self.webpackChunk||[]).push([[179],{4184:(e,t)=>{var r="a{h20}"}}]);
{12:"{h20}",34:"{h20}",56:"{h20}"}
"dependencies": {"jsonwebtoken": "^9.0.2", "passport": "0.7.0", "keyv": "4.5.4", "secretlint": "11.2.0"}
"scripts": {"token": "node scripts/token.js", "auth": "tsx src/auth.ts"}
"password": "string", "token": "string", "secret": "string"
"password": {"type": "string", "minLength": 8}
password: str = Field(min_length=8)
password VARCHAR(255) NOT NULL, api_key TEXT, token_hash CHAR(64)
ALTER TABLE users ADD COLUMN password_hash text; COMMENT ON COLUMN users.password IS 'bcrypt';
SELECT id, token, secret FROM credentials WHERE key = $1 AND password = crypt($2, password);
UPDATE users SET password = :password WHERE id = :id
max_tokens=4096, temperature=0.2, stop_token="</s>"
"usage": {"prompt_tokens": 1204, "completion_tokens": 311, "total_tokens": 1515}
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
token_type: bearer
"token_type": "Bearer", "expires_in": 3600, "scope": "read:user"
grant_type=password&username=alice
credentials: 'same-origin'
withCredentials: true, credentials: "include"
auth: oauth2
auth_method = scram-sha-256
secretName: api-credentials-v2
secretKeyRef: {name: db-credentials, key: password}
valueFrom: {secretKeyRef: {name: app-secrets, key: api-key}}
password_file: /run/secrets/db_password
passwordSecretRef: projects/acme/secrets/db-password/versions/3
token: !vault |
password: "{{ vault_db_password }}"
password: '{{ lookup("env", "DB_PASSWORD") }}'
api_token = var.api_token
client_secret = data.aws_secretsmanager_secret_version.db.secret_string
secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbC123"
kms_key_id = "arn:aws:kms:eu-west-1:123456789012:key/{uuid}"
resource "random_password" "db" { length = 24 }
op://Private/GitHub/token
vault kv get -field=password secret/data/db
PASS: tests/test_redact.py::test_token_2 (0.03s)
ok 14 - keeps the password out of the log
tests/test_auth.py::test_password_reset_token[case0] PASSED
FAILED tests/test_keys.py::test_api_key - AssertionError: 3 != 4
Traceback (most recent call last): File "/app/auth/token.py", line 42, in get_token
KeyError: 'password'
TypeError: login() missing 1 required positional argument: 'password'
https://github.com/acme/api/commit/{h40}
https://github.com/acme/api/blob/{h40}/src/auth/token.py#L10-L42
https://example.com/search?q=api+key&page=2&sort=created_at
https://example.com/reset?step=2#password
https://cdn.example.com/assets/{h32}/app.min.js?v={h8}
https://www.youtube.com/watch?v={w11}&t=42s
https://docs.google.com/document/d/{w44}/edit
https://s3.eu-west-1.amazonaws.com/bucket/{uuid}/photo.jpg
http://localhost:5173/node_modules/@vite/client
ssh://git@github.com:22/acme/api.git
git@github.com:acme/api.git
mailto:alice@example.com?subject=Password%20reset
postgresql://localhost:5432/app?sslmode=require
redis://cache.internal:6379/0
s3://acme-backups/2026/11/24/{h40}.gz
Cookie: theme=dark; lang=en; consent=all
Set-Cookie: lang=en; Path=/; SameSite=Lax
Content-Security-Policy: script-src 'sha256-{b43}='
strict-transport-security: max-age=31536000; includeSubDomains
if-none-match: "{h40}"
2a03:2880:f12f:83:face:b00c:0:25de
MAC 00:1a:2b:3c:4d:5e, serial C02{U9}
0x{h40} sent 0.5 ETH in 0x{h64}
IBAN DE89 3704 0044 0532 0130 00
order 4711-{d10}, tracking 1Z{U16}
+49 30 1234567, room 12, 14:30
version 2.34.1+build.20261124.{h7}
v18.20.4 (sha {h12})
layer {h12}: Pull complete
Digest: sha256:{h64}
container {h64} exited with 137
pod/api-{h10}-{l5}  1/1  Running  0  3d
node ip-10-0-12-34.eu-west-1.compute.internal Ready
job {uuid} finished: 10,000 rows, 482,113 bytes
slot 2026-11-24T12:00Z claimed by host a, fence 17
lease sync held by host-1 pid 4242 boot {uuid}
snapshot {h40}: 256 shards, 10,000 rows, nothing changed
Keyboard: press Ctrl+K to open; arrow keys move; Enter confirms.
Monkey, turkey, donkey: animals. Passage, compass, bypass: words.
Passport: C01X00T47; visa in the compass pocket.
Author: Alice Example <alice@example.com>
Authority: City of Berlin; Authentic: yes
Secretary: Bob; secretion: none; credit: 12 EUR; sacred: no
salt: 2 g per 100 g; pepper to taste
The session key rotates hourly. Session keys: see RFC 8446.
Tokens: 1,204 in, 311 out
Hash of the password (bcrypt, 12 rounds) is stored, not the password.
"description": "Rotates the secret and the password of the database user"
"title": "API key", "help": "Paste your key here"
"forgot_password": "Forgot your password?", "password": "Password", "token": "Token"
"password_placeholder": "••••••••"
msgid "password" msgstr "Passwort"
| `DB_PASSWORD` | the password of the database | required |
| API_KEY | string | the key of the API, see Settings |
- **token** (string): your access token
* `--token TOKEN`: the token to use; `--password-file PATH` reads it from a file
usage: app [-h] [--token TOKEN] [--api-key KEY] [--password PASSWORD]
# GITHUB_TOKEN: a fine-grained token with contents read and write
# NOTION_TOKEN=
; password = secret
Password: ********
password: [REDACTED]
token=***
"authorization": "[Filtered]"
secret: (none)
api_key: null
password: true
token: undefined
key: value
KEY=VALUE
auth = none
pwd: /home/alice/projects/api
PWD=/work/project-2/src
OLDPWD=/home/alice
SSH_AUTH_SOCK=/tmp/ssh-XXXXXXabc123/agent.4242
XAUTHORITY=/home/alice/.Xauthority
GPG_KEY={X40}
KEYBOARD_LAYOUT=de-latin1
PASSENGER_APP_ENV=production
author_id={d18}, message_id={d19}
snowflake {d18}
"api_version": "2025-09-03", "key_count": 12, "secret_count": 0
"password_updated_at": "2026-11-24T12:00:00Z", "token_expires_at": 1795520000
lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor
The quick brown fox jumps over the lazy dog; 0123456789abcdef
"""


def clean(seed: int) -> list[str]:
    """Lines that hold no secret: those above and those of `clean_contexts.txt`."""
    maker = Maker(seed)
    lines = [*CLEAN.strip().splitlines(), *(HERE / "clean_contexts.txt").read_text(encoding="utf-8").splitlines()]
    return [maker.made(_signs(line)) for line in lines]


def corpus(seed: int) -> list[Case]:
    """All of it."""
    maker = Maker(seed)
    return [*shaped(maker), *named(maker), *others(maker)]
