"""Files of one format: password files, configurations of servers and devices, markup, SQL, mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import names, values
from utils.redact.finding import Finding, Rule, before, compiled, each, group

_SNMP = re.compile(r"""[ ]["']?((?=\S{0,40}\d)[^\s"']{8,64})["']?(?=[ \n]|$)""")
_PART = r"""form-data;[ ]name=\\?"(?P<name>[\w.-]{1,60})\\?"(?:(?:\r?\n|\\r\\n|\\n)[\w-]{1,40}:[^\n\\]{1,80}){0,3}
    (?:\r?\n|\\r\\n|\\n){2}(?P<value>[^\s\\"]{6,400})"""


def snmp_user(text: str, at: int) -> Iterator[Finding]:
    """`createUser name SHA "VALUE" AES "VALUE"`."""
    end = text.find("\n", at, at + 200)
    for value in _SNMP.finditer(text, at + len("createuser"), end if end >= 0 else at + 200):
        yield Finding(*value.span(1), "password")


def form_data(text: str, at: int) -> Iterable[Finding]:
    """The value of a part of a form whose name promises a secret."""
    part = compiled(_PART).match(text, at)
    promised = names.promise(part["name"]) if part else None
    if part is None or promised is None or not values.keeps(promised, part["value"], assigned=True):
        return ()
    return (Finding(*part.span("value"), promised.value),)


RULES: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (
        (":5432:", ":5433:", ":6432:", ":6543:", ":3306:", ":*:"),
        group("password", r":(?:\d{4}|\*):[\w*-]{1,64}:[\w*.-]{1,64}:((?=[^\s:*]{6})\S{6,256})"),
    ),
    (("]:25 ", "]:465 ", "]:587 "), group("password", r"\]:\d{2,3}[ \t]+[^\s:]{1,80}:(\S{6,128})")),
    (("ugfzc3dvcmq6",), group("password", r"(?i:UGFzc3dvcmQ6)\s{1,4}(?:C:[ ])?([A-Za-z0-9+/]{8,400}={0,2})")),
    (("@tcp(", "@unix("), before("password", r"""[\w.-]{1,64}:([^\s"'`@/]{6,128})""")),
    (("loginmodule",), each("password", r'\buser_\w{1,40}\s?=\s?\\?"([^"\\\n]{6,128})\\?"', reach=600)),
    (("createuser ",), snmp_user),
    (('form-data; name="', 'form-data; name=\\"'), form_data),
    (
        ("snmp-server community ", "community string ", "rocommunity", "rwcommunity"),
        group(
            "password",
            r"(?i:snmp-server[ ]|r[ow])?(?i:community)6?[ ](?:string[ ](?:is[ ])?)?[\"']?([\w!@#%^*+=.-]{8,64})",
        ),
    ),
    (
        ("password 7 ", "key 7 ", "secret 5 ", "secret 8 ", "secret 9 "),
        group("password", r"(?i:password|key|secret)[ ]\d[ ]([0-9A-Fa-f]{10,128}|\$\d{1,2}\$\S{10,128})"),
    ),
    (
        ("ssid",),
        group(
            "password",
            r"""(?i:ssid)[^\n]{0,60}?(?i:key|pass\w{0,8}|pw|psk|pwd)[ :=]{1,3}["'`]?((?=\S{0,40}\d)[^\s"'`,;]{8,63})""",
        ),
    ),
    (("message-digest-key ",), group("password", r"message-digest-key[ ]\d{1,3}[ ]md5[ ](?:\d[ ])?(\S{8,64})")),
    (
        ("<auth-user-pass>",),
        group("password", r"<auth-user-pass>\s{1,4}\S{1,80}\s{1,4}(\S{6,256})\s{1,4}</auth-user-pass>"),
    ),
    (("userlist.txt",), each("password", r'(?<=\n)"[^"\n]{1,64}"[ ]"([^"\n]{6,256})"', reach=1500)),
    (("key1\tfull\t", "key2\tfull\t"), group("azure", r"(?i:key\d\tfull)\t([\w+/]{64,128}={0,2})")),
    (("active_record_encryption",), group("key", r"active_record_encryption:\s{1,8}primary_key:[ ](\w{20,128})")),
    (("wifi:",), group("password", r"(?i:wifi):(?:[A-Z]:[^;]{0,64};){0,4}?P:((?:\\.|[^;\\\n]){8,128});")),
    (("register =>", "register="), group("password", r"register[ ]?=>?[ ]?[\w.+-]{1,60}:([^\s:@/]{8,128})@(?=\w)")),
    (("<master>{",), group("password", r"<(?i:master)>\{([^{}\s]{20,400})\}")),
    (("'crypt' =>",), group("key", r"'crypt'[ ]=>[ ]\[\s*'key'[ ]=>[ ]'([^'\n]{16,128})'")),
    (
        ("random_password",),
        group("password", r'''random_password"(?:[^"]{0,80}"){0,24}?(?:result|bcrypt_hash)":\s?"([^"\n]{8,256})"'''),
    ),
    (
        tuple(f"type={quote}password" for quote in ("", "'", '"', '\\"')),
        group("password", r"""type=\\?["']?password\\?["']?[^<>\n]{0,200}?[ ]value=\\?["']([^"'\\\n]{6,200})"""),
    ),
    (
        ("identified by", "identified with"),
        group(
            "password", r"(?i:identified[ ](?:with[ ]\S{1,40}[ ])?by)\s{1,4}(?:password\s)?['\"]([^'\"\n]{4,256})['\"]"
        ),
    ),
    (('"username"',), group("key", r""""username":\s?"[^"\n]{1,80}",\s?"key":\s?"([0-9a-f]{32})\"""")),
)
