"""The tokens that tell themselves by their shape: a prefix that only they have, and what follows it.

The prefixes are those that the vendors document (GitHub's secret scanning lists most of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from utils.redact import values
from utils.redact.finding import NOTHING, Finding, Rule

_ESCAPE = r"(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\[[0-9]m)|(?<=\[[0-9]{2}m)"
EDGE = rf"(?:(?<![A-Za-z0-9_-])|{_ESCAPE})"
"""Where a word can begin: not within another one; an escape sequence may stand before it."""
_BASE64_EDGE = rf"(?:(?<![A-Za-z0-9_+/-])|{_ESCAPE})"
"""The same for a prefix of letters and digits alone, which may occur by chance within base64."""

_TABLE = r"""
supabase      sb_secret_                                        [\w-]{10,}
supabase      sbp_                                              \w{20,}
notion        ntn_                                              [A-Za-z0-9]{20,}
notion        ~secret_                                          [A-Za-z0-9]{32,}
github  ghp_|gho_|ghu_|ghr_|ghs_  (?:[A-Za-z0-9]{1,40}_eyJ[\w-]{8,1000}+(?:\.[\w-]+){1,2}|[A-Za-z0-9]{20,})
github        github_pat_                                       \w{22,}
gitlab        glpat-|gldt-|glft-|glsoat-|glrt-|glrtr-|glptt-|glagent-|glcbt-|glimt-|glffct-|gloas-|glwt-  [\w.-]{16,}
gitlab        GR1348941                                         [\w-]{16,}
anthropic     sk-ant-                                           [\w-]{16,}
openrouter    sk-or-                                            [\w-]{20,}
openai        ~sk-proj-|~sk-svcacct-|~sk-admin-|~sk-service-|~sk-None-|~sk-lf-|~sk-helicone-  [\w-]{16,}
openai        ~sk-                                              (?=[\w-]{0,200}\d)[\w-]{0,200}[A-Za-z0-9]{20}[\w-]*
langchain     lsv2_pt_|lsv2_sk_|ls__                            [0-9a-f_]{20,}
groq          gsk_                                              [A-Za-z0-9]{20,}
xai           xai-                                              [A-Za-z0-9]{20,}
perplexity    pplx-                                             [A-Za-z0-9]{20,}
huggingface   ~hf_|api_org_                                     [A-Za-z0-9]{20,}
replicate     ~r8_                                              [A-Za-z0-9]{20,}
fireworks     ~fw_                                              [A-Za-z0-9]{20,}
together      tgp_v1_                                           [\w-]{20,}
cerebras      csk-                                              [a-z0-9]{20,}
nvidia        nvapi-                                            [\w-]{20,}
voyage        ~pa-                                              (?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Z])[\w-]{40,}
pinecone      pcsk_                                             \w{20,}
anyscale      esecret_                                          [A-Za-z0-9]{20,}
tavily        tvly-                                             [\w-]{16,}
firecrawl     ~fc-                                              [0-9a-f]{32,}
jina          jina_                                             [\w-]{20,}
e2b           ~e2b_                                             [0-9a-f]{32,}
wandb         wandb_v1_                                         \w{20,}
composio      ~ak_                                              (?=\w{0,40}\d)\w{20,}
browserbase   bb_live_                                          [\w-]{20,}
elevenlabs    ~sk_                                              [0-9a-f]{40,}
cartesia      sk_car_                                           \w{16,}
sanity        ~sk                                               (?=\w{0,80}\d)(?=\w{0,80}[A-Z])[A-Za-z0-9]{80,}
aws           ~AKIA|~ASIA|~ABIA|~ACCA|~AROA|~AIDA               [A-Z2-7]{16}(?![A-Za-z0-9])
aws           ~A3T                                              [A-Z0-9]{17}(?![A-Za-z0-9])
aws           ABSK                                              [A-Za-z0-9+/]{60,}={0,2}
aws           bedrock-api-key-                                  [A-Za-z0-9+/=]{20,}
aws           amzn.mws.                                         [0-9a-f-]{36}
amazon        amzn1.oa2-cs.v1.|Atza\||Atzr\|                    [\w=+/-]{32,}
google        AIza                                              [\w-]{30,}
google        GOCSPX-                                           [\w-]{20,}
google        ~ya29.                                            [\w.-]{20,}
google        ~1//0                                             [\w-]{30,}
google        ~AQ.Ab                                            [\w-]{30,}
google        ~4/0A                                             [\w-]{30,}
slack         xoxa-|xoxb-|xoxp-|xoxo-|xoxs-|xoxr-|xoxc-         [\w.-]{10,}
slack         xoxd-                                             (?:[\w-]|%2[BFbf]|%3[Dd]){16,}
slack         xoxe-|xoxe.xox                                    [\w.-]{10,}
slack         xapp-|xwfp-                                       [\w-]{16,}
slack         hooks.slack.com/                                  (?:services|workflows|triggers)/[\w/+=-]{16,}
slack         hooks.slack-gov.com/                              (?:services|workflows|triggers)/[\w/+=-]{16,}
discord       discord.com/api/|discordapp.com/api/              (?:v\d+/)?webhooks/\d{10,}/[\w-]{20,}
teams         webhook.office.com/webhookb2/                     [\w@-]{20,}/IncomingWebhook/[\w/-]{20,}
feishu        /open-apis/bot/v2/hook/                           [\w-]{20,}
zapier        hooks.zapier.com/hooks/catch/                     [\w/]{8,}
ifttt         maker.ifttt.com/trigger/                          [\w-]{1,80}/(?:json/)?with/key/[\w-]{16,}
make  hook.make.com/|hook.eu1.make.com/|hook.eu2.make.com/|hook.us1.make.com/|hook.integromat.com/  [a-z0-9]{20,}
netlify       api.netlify.com/build_hooks/                      [0-9a-f]{20,}
vercel        api.vercel.com/v1/integrations/deploy/            [\w/-]{20,}
healthchecks  hc-ping.com/                                      [0-9a-f-]{30,}
webhook  /hooks/  (?:[a-z0-9]{26}|[A-Za-z0-9]{17}/[A-Za-z0-9]{40,})(?![\w/-])
aspnet        ~CfDJ8                                            [\w-]{40,}
wordpress     wordpress_logged_in_|wordpress_sec_               [0-9a-f]{32}=[\w%|.-]{20,}
loggly        loggly.com/inputs/                                [0-9a-f-]{36}
infura        infura.io/v3/                                     [0-9a-f]{32}
alchemy       alchemy.com/v2/|alchemyapi.io/v2/                 [\w-]{20,}
quicknode     .quiknode.pro/                                    [0-9a-f]{20,}
telegram      :AA                                               (?<=[0-9]{7}:AA)[\w-]{30,}
stripe        sk_live_|sk_test_|sk_prod_|rk_live_|rk_test_|rk_prod_|sk_org_  [\w-]{10,}
stripe        whsec_                                            [\w+/=-]{16,}
npm           npm_                                              [A-Za-z0-9]{30,}
pypi          pypi-AgE                                          [\w-]{16,}
rubygems      rubygems_                                         [0-9a-f]{32,}
nuget         ~oy2                                              [a-z0-9]{40,}
crates        ~cio                                              (?=[A-Za-z0-9]{0,32}\d)[A-Za-z0-9]{32}(?![A-Za-z0-9])
clojars       CLOJARS_                                          \w{40,}
packagist     packagist_                                        \w{30,}
docker        dckr_pat_|dckr_oat_                               [\w-]{16,}
jfrog         AKCp|cmVmdGtu                                     [A-Za-z0-9]{50,}
sonar         sqp_|squ_|sqa_|sqb_                               [0-9a-f]{30,}
snyk          snyk_                                             (?:[a-z]{2,4}_)?(?=[\w.-]{0,60}\d)[\w.-]{30,}
digitalocean  dop_v1_|doo_v1_|dor_v1_                           [0-9a-f]{32,}
heroku        HRKU-                                             [\w-]{30,}
vercel        ~vcp_|~vci_|~vck_|~vca_|~vcr_|vercel_blob_rw_     [\w-]{20,}
netlify       nfp_|nfo_|nfc_|nfu_|nfb_                          [A-Za-z0-9]{30,}
fly           fo1_|fm1_|fm1r_|fm1a_|fm2_                        [\w+/=,-]{20,}
render        ~rnd_                                             [A-Za-z0-9]{20,}
cloudflare    cfut_|cfat_|cfk_                                  [\w-]{30,}
cloudflare    ~v1.0-                                            [0-9a-f]{20,}-[0-9a-f]{100,}
planetscale   pscale_tkn_|pscale_pw_|pscale_oauth_              [\w=.-]{16,}
neon          napi_                                             [a-z0-9]{30,}
mongodb       mdb_sa_sk_|mdb_sa_id_                             [\w-]{20,}
databricks    ~dapi|~dose|~dkea                                 [0-9a-f]{32}(?:-\d)?
airtable      ~pat                                              [A-Za-z0-9]{14}\.[0-9a-f]{40,}
doppler       ~dp.pt.|~dp.st.|~dp.ct.|~dp.sa.|~dp.said.|~dp.scim.|~dp.audit.  (?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{30,}
vault         hvs.|hvb.|hvr.                                    [\w-]{20,}
vault  ~s.  (?=[A-Za-z]{0,24}\d)(?=[a-z0-9]{0,24}[A-Z])(?=[A-Z0-9]{0,24}[a-z])[A-Za-z0-9]{24}(?![A-Za-z0-9(.\[])
terraform     .atlasv1.                                         (?<=[A-Za-z0-9]{14}\.atlasv1\.)[\w=-]{40,}
infisical     ~st.                                              [0-9a-f-]{20,36}\.[0-9a-f]{20,}\.[0-9a-f]{20,}
pulumi        ~pul-                                             [0-9a-f]{40}
onepassword   ops_eyJ                                           [\w+/=-]{40,}
onepassword   ~A3-                                              [A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,6}
age           AGE-SECRET-KEY-|AGE-PLUGIN-                       [A-Z0-9-]{30,}
grafana       glsa_                                             [A-Za-z0-9]{20,}(?:_[0-9a-f]{8})?
grafana       glc_                                              [A-Za-z0-9+/=]{32,}
grafana       eyJrIjoi                                          [A-Za-z0-9+/=]{30,}
newrelic      NRAK-|NRAA-|NRJS-|NRII-|NRIQ-|NRAL-|NRRA-|NRSP-   [\w-]{18,}
sentry        sntrys_|sntryu_|sntrya_|sntryi_                   [\w+/=-]{30,}
honeycomb     hcaik_|hcalk_|hcxik_|hcbik_|hcamk_|hcxlk_         [a-z0-9]{26,}
dynatrace     dt0c01.|dt0s01.|dt0s02.|dt0s03.|dt0s04.|dt0s06.|dt0s08.  [A-Z0-9]{8,}(?:\.[A-Z0-9]{40,})?
pagerduty     ~pdus+|~pdeu+                                     [\w+.-]{16,}
posthog       phx_|phs_                                         [A-Za-z0-9]{30,}
segment       sgp_                                              \w{40,}
sourcegraph   slk_                                              [0-9a-f]{40,}
launchdarkly  ~sdk-|~mob-|~api-                                 [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}
statsig       ~secret-                                          (?=[A-Za-z0-9]{0,60}\d)[A-Za-z0-9]{30,}
elastic       essu_                                             [A-Za-z0-9+/=]{20,}
prefect       pnu_|pnb_                                         [A-Za-z0-9]{30,}
buildkite     bkua_|bkct_|bkaj_|bkpt_                           [A-Za-z0-9]{30,}
circleci      CCIPAT_|CCIPRJ_                                   \w{20,}
readme        rdme_                                             [a-z0-9]{40,}
postman       PMAK-|PMAT-                                       [\w-]{20,}
shippo        shippo_live_|shippo_test_                         [0-9a-f]{30,}
easypost      ~EZAK|~EZTK                                       [A-Za-z0-9]{40,}
square        sq0atp-|sq0csp-|sq0idp-                           [\w-]{20,}
square        ~EAAA                                             [\w-]{56,}
shopify       shpat_|shpca_|shppa_|shpss_|shptka_|shpua_        [0-9A-Za-z]{24,}
paypal        access_token$production$|access_token$sandbox$    [\w$]{20,}
razorpay      rzp_live_|rzp_test_                               [A-Za-z0-9]{14,}
flutterwave   FLWSECK_TEST-|FLWSECK-|FLWPUBK_TEST-|FLWPUBK-     [\w-]{12,}
plaid         ~access-sandbox-|~access-development-|~access-production-  [0-9a-f-]{36}
adyen  ~AQE  (?=[\w+/=-]{0,80}\d)[A-Za-z0-9+/=]{60,}-[\w+/=-]{20,}(?:-\S{10,40})?
contentful    CFPAT-                                            [\w-]{30,}
sendgrid      SG.                                               [\w-]{16,40}\.[\w-]{16,80}
mailgun       ~key-                                             [0-9a-f]{32}(?![0-9a-z])
mailgun       ~pubkey-                                          [0-9a-f]{32}(?![0-9a-z])
mandrill      ~md-                                              (?=[\w-]{0,22}\d)[\w-]{22}(?![\w-])
brevo         xkeysib-|xsmtpsib-                                [0-9a-f]{32,}(?:-[A-Za-z0-9]{10,})?
resend        ~re_                                              [A-Za-z0-9]{6,12}_[A-Za-z0-9]{16,}
mailersend    mlsn.                                             [0-9a-f]{40,}
klaviyo       ~pk_                                              [0-9a-f]{34}(?![0-9a-z])
clickup       ~pk_                                              \d{5,12}_[A-Z0-9]{30,}
hubspot       pat-na1-|pat-eu1-|pat-na2-|pat-na3-|pat-ap1-      [0-9a-f-]{36}
intercom      dG9rOj                                            [A-Za-z0-9+/=]{40,}
twilio        ~SK                                               [0-9a-f]{32}(?![0-9a-zA-Z])
linear        lin_api_|lin_oauth_|lin_wh_                       [A-Za-z0-9]{30,}
asana         ~1/|~2/|~0/                                       \d{10,20}(?:/\d{10,20})?:[0-9a-f]{32}
trello        ATTA                                              [0-9a-f]{60,}
atlassian     ATATT3|ATCTT3|ATSTT3|ATOATT3                      [\w=-]{40,}
bitbucket     ATBB                                              [A-Za-z0-9]{28,}
figma         figd_|figo_|figdr_                                [\w-]{20,}
prismic       ~MC5                                              [\w.-]{50,}
dropbox       ~sl.                                              (?=[\w-]{0,100}\d)[\w-]{100,}
dropbox       ~sl.u.                                            [\w-]{40,}
adobe         ~p8e-                                             [A-Za-z0-9]{32}
typeform      tfp_                                              [\w.=-]{30,}
tally         tly-                                              [A-Za-z0-9]{30,}
calcom        cal_live_|cal_test_                               [0-9a-f]{30,}
n8n           n8n_api_                                          [0-9a-f]{30,}
dbt           dbtc_|dbtu_|dbts_                                 [\w=+/-]{20,}
retool        retool_                                           [a-z0-9]{24,}
beamer        ~b_                                               [\w=-]{44}(?![\w-])
frameio       fio-u-                                            [\w=-]{40,}
duffel        duffel_live_|duffel_test_                         [\w=-]{30,}
facebook      ~EAA                                              (?=[A-Za-z0-9]{0,60}\d)[A-Za-z0-9]{60,}
instagram     ~IGQ                                              (?=[\w-]{0,60}\d)[\w-]{60,}
twitter       ~AAAAAAAAAAAAAAAA                                 (?=[\w%]{0,80}[b-z])[\w%-]{50,}
twitch        oauth:                                            [a-z0-9]{30}(?![a-z0-9])
yandex        ~AQVN|~y0_|~y1_|~y2_|~y3_|~YCAJE|~YCM|~YCN|~YCO|~YCP  (?=[\w-]{0,60}\d)[\w-]{25,}
yandex        ~t1.                                              [\w-]{5,}[\w.-]{60,}
alibaba       ~LTAI                                             (?=[A-Za-z0-9]{0,24}\d)[A-Za-z0-9]{12,28}(?![\w-])
tencent       ~AKID                                             (?=[A-Za-z0-9]{0,40}\d)[A-Za-z0-9]{24,40}(?![\w-])
huawei        ~HST3                                             [A-Za-z0-9]{16,}
mapbox        ~sk.eyJ|~pk.eyJ                                           [\w-]{16,}\.[\w-]{16,}
defined       dnkey-                                            [\w=-]{26,}
tailscale     tskey-                                            [\w-]{16,}
tailscale     ~nodekey:|~privkey:                               [0-9a-f]{40,}
openshift     sha256~                                           [\w-]{40,}
octopus       ~API-                                             [A-Z0-9]{25,}
gitguardian   ggtt-v-                                           \w{16,}
harness       ~pat.|~sat.                                       [\w-]{20,24}\.[A-Za-z0-9]{20,}\.[A-Za-z0-9]{16,}
django        django-insecure-                                  [^\s"'\\]{20,}
woocommerce   ~ck_|~cs_                                         [0-9a-f]{40}
ebay          v^1.1#                                            [\w^#=+/-]{40,}
dingtalk      ~SEC                                              [0-9a-f]{60,}
onesignal     os_v2_app_|os_v2_org_                             [a-z0-9]{40,}
pubnub        ~sub-c-|~pub-c-|~sec-c-                           [\w=-]{30,}
ably          ~xV.|~ably.                                       [\w-]{6}:[\w-]{20,}
xata          xau_                                              [A-Za-z0-9]{24,}
fauna         ~fnA                                              [\w-]{35,}
appwrite      standard_                                         [0-9a-f]{60,}
stytch        secret-live-|secret-test-                         [\w=-]{20,}
checkly       ~cu_                                              [0-9a-f]{32,}
endorlabs     endr+                                             [\w-]{16,}
apify         apify_api_|apify_proxy_                           [A-Za-z0-9]{20,}
deno          ~ddp_|~ddo_|~ddw_                                 [A-Za-z0-9]{30,}
settlemint    sm_aat_|sm_pat_|sm_sat_                           [A-Za-z0-9]{16,}
artifacthub   ahsk_                                             [\w-]{20,}
upstash       UPSTASH_                                          [\w-]{40,}
bitcoin       xprv|yprv|zprv                                    [A-Za-z0-9]{90,}
unkey         unkey_                                            \w{16,}
trigger       tr_dev_|tr_prod_|tr_pat_                          [A-Za-z0-9]{16,}
inngest       signkey-prod-|signkey-test-|signkey-branch-       [0-9a-f]{30,}
ngrok         ~ak_|~cr_                                         (?=\w{0,40}\d)(?=\w{0,40}[A-Z])[A-Za-z0-9]{27,}
scaleway      ~SCW                                              (?=[A-Z0-9]{0,17}\d)[A-Z0-9]{17}(?![A-Za-z0-9])
aiven         AVNS_                                             [\w-]{16,}
confluent     ~cflt                                             [A-Za-z0-9+/]{50,}
typesense     ~xyz_                                             [A-Za-z0-9]{30,}
k3s           ~K10                                              [0-9a-f]{50,}(?:::\w{1,20}:\w{8,})?
salesforce    ~00D                                              [A-Za-z0-9]{9,15}![\w.]{60,}
gcp           ~GOOG1                                            [A-Z0-9]{55,}
express       ~s%3A                                             [\w-]{20,}\.[\w%+/-]{30,}
proxmox       PVEAPIToken=                                     [\w.@!-]{3,80}=[0-9a-f]{8}-[0-9a-f-]{27}
proxmox       PVE:                                              [\w.@!-]{3,60}:[0-9A-F]{8}::[\w+/]{80,}={0,2}
anaconda      conda.anaconda.org/t/                             [\w-]{16,}
laravel       [base64:                                          [A-Za-z0-9+/]{43}=
openai        ~sess-                                            [A-Za-z0-9]{32,}
openai        ~ek_                                              [0-9a-f]{32,}
azure         AZDO                                              (?<=[A-Za-z0-9]{76}AZDO)[A-Za-z0-9]{4}(?![A-Za-z0-9])
jenkins       {AQAAABAAAA                                       [A-Za-z0-9+/]{20,}={0,2}\}?
deepl         :fx                                               (?<=-[0-9a-f]{12}:fx)(?![\w-])
maxmind       _mmk                                              (?<=[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)
mailchimp     -us                                               (?<=[0-9a-f]{32}-us)\d{1,2}(?![0-9a-z])
azure         Q~                                                (?<=[0-9]Q~)[\w.~-]{31,}
newrelic      NRAL                                              (?<=[0-9a-f]{36}NRAL)
newrelic      FFFFNRAL                                          (?<=[0-9a-f]{32}FFFFNRAL)
crypt         $2a$|$2b$|$2y$                                    \d\d\$[./A-Za-z0-9]{53}
crypt  $6$|$5$|$1$|$y$|$apr1$  (?:rounds=\d{1,9}\$)?[./A-Za-z0-9$]{1,40}\$[./A-Za-z0-9]{20,}
crypt         $argon2id$|$argon2i$|$argon2d$                    v=\d+\$[\w=,]{5,40}\$[\w+/]{8,}\$[\w+/]{16,}
crypt         pbkdf2:sha256:|pbkdf2:sha512:|scrypt:32768:          [\d:]+\$\w{4,64}\$[0-9a-f]{30,}
crypt         pbkdf2_sha256$                                    \d+\$\w+\$[\w+/=]{30,}
"""

BACK = {"-us": 32, "_mmk": 36, "Q~": 4, ".atlasv1.": 14, "NRAL": 36, "FFFFNRAL": 32, ":fx": 36, "AZDO": 76}
"""How many signs before the prefix are the secret's own, where the prefix does not begin it."""


class Row(NamedTuple):
    """A token's shape: `pattern` matches from the first sign of `mark` on, whose own case the pattern minds."""

    kind: str
    mark: str
    pattern: str
    back: int


def rows() -> Iterator[Row]:
    """The table's rows, one a prefix."""
    for line in _TABLE.strip().splitlines():
        kind, prefixes, body = line.split(maxsplit=2)
        for prefix in re.split(r"(?<!\\)\|", prefixes):
            literal = prefix.removeprefix("~").replace("\\|", "|")
            edge = _BASE64_EDGE if literal.isalnum() else EDGE if prefix.startswith("~") else ""
            bounded = re.sub(r"\{(\d+),\}", r"{\1,4096}", body)
            yield Row(kind, literal.lower(), edge + re.escape(literal) + bounded, BACK.get(literal, 0))


def rule(row: Row) -> Rule:
    """The rule that finds a token of this shape; one of few different signs is an example's."""

    def find(text: str, at: int) -> Iterable[Finding]:
        match = _compiled(row.pattern).match(text, at)
        if match is None:
            return ()
        value = match[0].rstrip(".-")
        body = value[len(row.mark) :] if not row.back else text[at - row.back : at + len(value)]
        secret = len(set(body)) >= 5 and (values.is_choppy(body[:20]) or not values.is_placeholder(body))
        return (Finding(at - row.back, at + len(value), row.kind if secret else NOTHING),)

    return find


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_MARKLESS = re.compile(
    r"(?P<okta>00(?=[\w-]{0,40}[A-Z])(?=[\w-]{0,40}[a-z])[\w-]{38,40}(?![\w-]))"
    r"|(?P<discord>[MNO][A-Za-z\d_-]{22,27}\.[\w-]{6}\.[\w-]{27,60}(?![\w-]))"
    r"|(?P<token>(?!(?:cs|pi|pm|ch|seti|cus|sub)_)[a-z]{2,12}(?:[_-](?:live|test|prod|api|pat|sk|key|secret|token|v\d|dev|admin)){1,2}[_-][A-Za-z0-9]{20,}+(?![\w-]))",
    re.ASCII,
)


def markless(text: str, at: int) -> Iterator[Finding]:
    """A token that has no mark, where a long run begins; its last part must look drawn."""
    if match := _MARKLESS.match(text, at):
        kind, value = match.lastgroup or "token", match[0]
        last = value[max(map(value.rfind, "_-")) + 1 :] if kind == "token" else value
        if values.is_random(last) and not values.is_placeholder(value):
            yield Finding(*match.span(), kind)
