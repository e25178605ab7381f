"""Command lines: options of one letter, arguments without a name, what is piped in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from utils.redact import values
from utils.redact.finding import Finding, Rule, before, compiled, group

_CLIENT = (
    r"(?:(?:mysql|mariadb)\w{0,12}(?![^\n|;&]{0,160}?[ ]-p[ ])|sshpass|docker[ ]login|podman[ ]login|redis-cli|sqlcmd"
    r"|ldap\w{1,12}|cqlsh|mongo\w{1,12}|snmp\w{1,12}|7z\w?|codecov\S{0,40})"
)
"""Clients that take a password; behind `-p` and a blank, MySQL's take the name of a database."""
_USERS = r"""(?:\n[ \t]+(?:-[ ])?|[ ]['"]?|\\n)[a-z_][\w.-]{0,31}:(?P<password>[^\s'"|:]{6,128})"""


def chpasswd(text: str, at: int) -> Iterator[Finding]:
    """`echo user:VALUE | chpasswd`, and the list of cloud-init."""
    begin = max(text.rfind("\n", 0, at), at - 200, 0)
    for each in compiled(_USERS).finditer(text, begin, at + 400):
        if not values.is_placeholder(each["password"]) and not each["password"].isalpha():
            yield Finding(*each.span("password"), "password")


def _is_no_number(value: str) -> bool:
    return not re.match(r"[\d:.]+$", value) and not values.is_code(value, assigned=True, variable=False)


RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (
        ("--password-stdin",),
        before("password", r"""echo\s+(?:-n\s+)?(?:["']|&quot;)?([^\s"'|]{6,300}?)(?:["']|&quot;)?\s*\|[^|\n]{0,80}"""),
    ),
    (
        ("secret set ", "secret put ", "secret create "),
        before("secret", r"""(?:echo|printf)\s+(?:-n\s+|%s\s+)?["']?([^\s"'|]{8,300}?)["']?\s*\|[ ]?[\w-]{0,30}[ ]"""),
    ),
    (
        ("secret set ",),
        group("secret", r"""secret[ ]set[ ][\w-]{1,80}[ ](?:--body|-b)[ =]["']?([^\s"']{8,512})"""),
    ),
    (("env add ",), group("secret", r"""env[ ]add[ ][\w-]{1,80}[ ][\w ]{0,40}<<<[ ]?["']?([^\s"']{8,512})""")),
    (("vault.create_secret(",), group("secret", r"(?i:vault\.create_secret)\(\s{0,8}'([^'\n]{8,512})'")),
    (
        ("put-parameter ",),
        group("secret", r"""put-parameter[ ][^\n]{0,160}?SecureString[^\n]{0,80}?--value[ =]["']?([^\s"']{8,512})"""),
    ),
    (("chpasswd",), chpasswd),
    (
        ("echo ",),
        group(
            "secret",
            r"""echo[ ](?:-n[ ])?["']?([^\s"'$\\]{12,300})["']?[ ]?(?:>{1,2}|\|[ ]?(?:sudo[ ])?tee(?:[ ]-a)?)[ ]?
                [^\s|;&]{0,80}(?i:key|token|secret|passw|psk|cred)""",
            values.is_random,
        ),
    ),
    (
        ("-command ",),
        group("password", r"""-command[ ]["']?echo[ ](?:-n[ ])?([^\s"']{8,128})""", values.is_random),
    ),
    (
        (" -u ", " -u", "--user", "--proxy-user", '-u"'),
        group(
            "password",
            r"""[ ]?(?:-u|--(?:proxy-)?user)[ =]{0,2}["']?[^\s:"']{1,80}:["']?
                ([^\s"'/@:][^\s"'/@]{3,256})(?=[\s"'\\]|$)""",
            lambda value: _is_no_number(value) and value not in {"main", "master"},
        ),
    ),
    (
        (
            *("sshpass", "mysql", "mariadb", "docker login", "podman login", "redis-cli", "sqlcmd", "ldap", "cqlsh"),
            *("mongo", "snmp", "codecov", "7z"),
        ),
        group(
            "password",
            _CLIENT
            + r"""(?:',)?[ ][^\n|;&]{0,160}?(?<=[ '])-(?:[pPawXAt])(?:',)?[ ]?["']?([^\s"'\\-][^\s"'\\]{5,256})""",
            lambda value: _is_no_number(value) and not value.isalpha(),
        ),
    ),
    (
        (" -p ", " -w ", " -a ", " -x ", " -t ", " -k "),
        group("password", r"""[ ]-[pPwaAXtk][ ]["']?([\w.+~-]{12,256}={0,2})(?=["'\s]|$)""", values.is_surely_a_secret),
    ),
    (
        (" -u ", " --user "),
        group("secret", r"""[ ](?:-u|--user)[ ]["']?(?!AC)([A-Za-z0-9]{16,64}):[Xx]?(?=["'\s]|$)""", values.is_random),
    ),
    ((" -k ",), group("key", r"[ ]-K[ ]([0-9a-fA-F]{32,128})(?=\s|$)")),
    (
        (" auth ", "-auth "),
        group("password", r"[ -]auth[ ][\"']?[\w.@-]{1,40}:([^\s\"']{8,128})(?=[\s\"']|$)", _is_no_number),
    ),
    (("snmp",), group("password", r"snmp\w{0,12}[ ][^\n|;]{0,60}?-c[ ][\"']?([\w!@#%^*+=.-]{8,64})")),
    (("cypress run",), group("key", r"cypress[ ]run[ ][^\n]{0,80}?--key[ =]([\w-]{30,40})")),
    (("-y hmac-",), group("key", r"-y[ ]hmac-\w{3,8}:[\w.-]{1,60}:([\w+/]{16,128}={0,2})")),
    (("wandb login",), group("token", r"(?i:wandb[ ]login)[ ](?:--\w+[ ])?([0-9a-f]{40,80})")),
    (("alias set ",), group("password", r"alias[ ]set[ ]\S{1,40}[ ]https?://\S{1,120}[ ](\S{12,128}[ ]\S{16,128})")),
    (
        ("cloudflared",),
        group(
            "token", r"cloudflared[ ](?:tunnel[ ])?(?:service[ ]install|run)[ ](?:--token[ ])?(eyJ[\w+/=-]{60,4096})"
        ),
    ),
    (
        ("oracle:thin:", "sqlplus ", "connect ", "userid=", "impdp ", "expdp ", "rman target "),
        group(
            "password",
            r"(?i:oracle:thin:|sqlplus[ ]|connect[ ]|userid=|(?:imp|exp)dp[ ]|rman[ ]target[ ])"
            r"(?:-\w[ ])?[^\s/@:]{1,64}/([^\s@/]{4,128})@(?=[\w/])",
        ),
    ),
    (("securestring",), group("password", r"""(?i:securestring)[ ](?:-String[ ])?["']([^"'\n$]{4,256})["']""")),
    (("sentinel auth-pass ",), group("password", r"(?i:sentinel[ ]auth-pass)[ ][\w.-]{1,60}[ ]([^\s\"(),]{6,256})")),
    (
        ("setuser ", "\nuser "),
        group("password", r"(?i:setuser|\nuser)[ ][\w.-]{1,60}[ ](?:[^\s>]{1,60}[ ]){0,20}>([^\s>]{6,256})(?=\s|$)"),
    ),
    (("http-basic.",), group("password", r"http-basic\.[\w.-]{3,80}[ ]\S{1,80}[ ]([^\s\"']{8,256})")),
    (
        ("altool ", "notarytool "),
        group(
            "password",
            r"""(?:al|notary)tool[ ][^\n|;]{0,200}?[ ](?:-p|--password)[ ]["']?([a-z]{4}(?:-[a-z]{4}){3})(?![\w-])""",
        ),
    ),
    (("::add-mask::",), group("secret", r"""::add-mask::([^\s"']{8,512})""")),
    (
        ("::set-output name=",),
        group("secret", r"(?i:::set-output[ ]name=[\w-]{0,40}(?:token|secret|passw|key)[\w-]{0,20}::)(\S{8,512})"),
    ),
)
