"""Command lines and the files of command-line programs: options of one letter, what is piped in, SQL that sets one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from utils.redact import values
from utils.redact.finding import Finding, Rule, group

_CLIENT = (
    r"(?:mysql\w{0,12}|mariadb\w{0,12}|sshpass|docker[ ]login|podman[ ]login|redis-cli|sqlcmd|ldap\w{1,12}|cqlsh"
    r"|mongo\w{1,12}|snmp\w{1,12}|7z\w?|codecov\S{0,40})"
)


def piped(text: str, at: int) -> Iterable[Finding]:
    """`echo VALUE | client --password-stdin`."""
    start = max(0, at - 400)
    match = re.search(r"echo\s+(?:-n\s+)?[\"']?([^\s\"'|]{6,300})[\"']?\s*\|[^|\n]{0,80}\Z", text[start:at])
    if match and not values.is_placeholder(match[1]):
        return (Finding(start + match.start(1), start + match.end(1), "password"),)
    return ()


def _is_no_number(value: str) -> bool:
    return not value.isdigit() and not values.is_code(value, assigned=True, variable=False)


RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("--password-stdin",), piped),
    (
        ("identified by", "identified with"),
        group(
            "password", r"(?i:identified[ ](?:with[ ]\S{1,40}[ ])?by)\s{1,4}(?:password\s)?['\"]([^'\"\n]{4,256})['\"]"
        ),
    ),
    (
        (" -u ", " -u", "--user", "--proxy-user", '-u"'),
        group(
            "password",
            r"""[ ]?(?:-u|--(?:proxy-)?user)[ =]{0,2}["']?[^\s:"']{1,80}:
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
            _CLIENT + r"""[ ][^\n|;&]{0,160}?(?<=[ ])-(?:[pPawXAt])[ ]?["']?([^\s"'\\-][^\s"'\\]{5,256})""",
            lambda value: _is_no_number(value) and not value.isalpha(),
        ),
    ),
    (
        (" -p ", " -w ", " -a ", " -x ", " -t ", " -k "),
        group("password", r"""[ ]-[pPwaAXtk][ ]["']?([\w.+=~-]{12,256})(?=["'\s]|$)""", values.is_surely_a_secret),
    ),
    (
        (" -u ", " --user "),
        group("secret", r"""[ ](?:-u|--user)[ ]["']?([A-Za-z0-9]{16,64}):[Xx]?(?=["'\s]|$)""", values.is_random),
    ),
    (("securestring",), group("password", r"""(?i:securestring)[ ](?:-String[ ])?["']([^"'\n$]{4,256})["']""")),
    (("wandb login",), group("token", r"(?i:wandb[ ]login)[ ](?:--\w+[ ])?([0-9a-f]{40,80})")),
    (
        (":5432:", ":3306:", ":*:*:"),
        group("password", r":(?:\d{4}|\*):[\w*-]{1,64}:[\w*.-]{1,64}:((?=[^\s:*]{6})\S{6,256})"),
    ),
    (("oracle:thin:", "sqlplus "), group("password", r"(?i:oracle:thin:|sqlplus[ ])[^\s/@:]{1,64}/([^\s@/]{4,128})@")),
    (('"username"',), group("key", r""""username":\s?"[^"\n]{1,80}",\s?"key":\s?"([0-9a-f]{32})\"""")),
)
