"""The forms in which a decision is stated as made: who decides, and in which words. Pure.

A form is finite: "we have decided to", "it was agreed that", "the board approved", "the decision is to", "from now on,
all". A modal ("we could decide"), an infinitive ("to decide"), a future ("we will decide") or a negation ("we have not
decided") between who acts and the verb is not among them, whatever the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_BODY = (
    "team|board|committee|council|group|leadership|management|squad|panel|crew|company|organi[sz]ation|guild|chapter"
    "|working group|working party|task force"
    "|department|office|union|assembly|staff|coalition|consortium|alliance|society|foundation|community|club|cabinet"
    "|quorum|collective|division|unit|lab|cooperative"
    "|stakeholder|founder|co-?founder|architect|engineer|developer|maintainer|sponsor|member|participant|attendee"
    "|reviewer|partner|director|executive|lead|owner|chair"
    "|manager|trustee|delegate|shareholder|investor|editor|admin|colleague|head|chief|advis[oe]r|designer|analyst"
    "|moderator|governor|planner|coordinator|operator|agent|assistant"
    "|resident|tenant|volunteer|teacher|parent|cto|ceo|cfo|ciso|coo|cpo|pm|commission|faculty|practice|tribe|majority"
    "|agency|firm|party|parties|trio|duo|pair|bureau|federation|association|business|startup|school|museum|studio"
    "|jury|treasurer|president|secretary"
)
_STRANGERS = (
    r"(?:(?:user|customer|client|competitor|critic|voter|lawmaker|court|judge|state|nation|rival|character|author"
    r"|researcher|scientist|government|company|other|regulator|study|result|brother|sister|hero|heroine|novel"
    r"|function"
    r"|wizard|model|algorithm|compiler|program|script|parser|machine|computer|king|queen|protagonist|player|patient"
    r"|industry|market|world|public|parliament|senate|article|paper|text|method|tree|code|prompt|reader|thief"
    r"|system|bot|pipeline|service|server|app|tool|forest|classifier|network|suite|library)(?:e?s)?"
    r"|people|police|countr(?:y|ies)|studies|authorities|companies|you|they|we|i|not|never|only|that|who|hardly"
    r"|\w+n['’]t)\b"
)
_AREA = (
    "legal|finance|marketing|ops|operations|sre|qa|product|design|sales|support|research|security|hr|platform"
    "|infrastructure|compliance|procurement|risk"
)
_WE = r"(?:both |all )?(?:of )?(?:we|us)(?: all| both| two| three)?"
_TEAM = (
    rf"(?:(?:the|our|this|both|all|all the|two|three) (?:[\w-]+ ){{0,3}}?(?:{_BODY})(?:e?s)?(?: (?:of|for|at|on|in"
    rf"|from) (?:(?:the|our) )?[\w-]+)?"
    r"|leadership|management|engineering|stakeholders|(?:everyone|everybody|all)(?: (?:on|in|at"
    rf"|present) (?:the )?[\w-]+)?|(?:{_AREA})(?: and (?:{_AREA}))?|all of us|(?:all|both) (?:parties"
    r"|sides)"
    r"|all present|a majority|most of us|(?-i:[A-Z])[\w.]+(?:, (?-i:[A-Z])[\w.]+)*,? and (?:(?-i:[A-Z])[\w.]+|I"
    r"|the \w+(?: \w+)?))"
)
_ADVERB = (
    r"(?:(?!nearly|hardly|barely|supposedly|allegedly|reportedly)\w+ly|therefore|consequently|hence|so|now|also"
    r"|then|just|already|together|hereby|thus|instead|all|both|each"
    r"|at last|in the end|as a (?:team|group|company)"
    r"|today|yesterday|this (?:morning|week|month|quarter)|last (?:night|week|month|\w+day)|since|long since"
    r"|once and for all)"
)
_NOW = rf"(?: {_ADVERB},?){{0,2}} "
_HAVE = rf"(?:(?:['’]ve| have| has| had|['’]d)(?= ))?(?: {_ADVERB},?){{0,3}} "
_BE = rf"(?:['’]re| are|['’]m| am| is)(?: {_ADVERB},?){{0,2}} "
_WORDS = (
    r"(?:[\s,]+(?!(?:if|whether|how|what|when|which|who|where|why|nothing|later|yet|with you)\b)[\w’'/().-]+){0,7}?"
)
_HOLDS = r"(?=[^.;]*\b(?:will|shall|must|should|would|may|is|are|gets?|stays?|goes|has to|have to|needs?)\b)"
_TO = (
    rf"(?:to(?! disagree)|that|on|upon|against|for|not to|in favou?r of|:|(?:the|all|every|each|our|no"
    rf"|any)\b{_HOLDS})"
)
_US = rf"(?:{_WE}|{_TEAM})"
_NOUN = (
    "decision|consensus|agreement|resolution|ruling|verdict|conclusion|choice|call|outcome|plan of record|vote"
    "|judgement|judgment|compromise"
)
_GROUP = rf"(?:the|our) (?:[\w-]+ ){{0,3}}?(?:{_BODY})"
_ACTED = (
    "approved|accepted|adopted|ratified|passed|carried|endorsed|green-?lit|greenlighted|signed off|rejected"
    "|turned down|voted down|confirmed|declined|withdrawn|revoked|overturned|rescinded|reversed"
    "|vetoed|cancelled|canceled|shelved|scrapped|chosen|selected|picked|mandated|authori[sz]ed|agreed(?: (?:up)?on)?"
    "|decided(?: (?:up)?on)?|ruled out"
)

_TABLE: tuple[tuple[float, str, str], ...] = (
    # we have decided to ..., the trustees voted in favour of ...
    (
        0.9,
        "decided resolved opted elected ruled decreed stipulated",
        rf"\b{_US}{_HAVE}(?:decided|resolved|opted|elected|ruled|decreed|stipulated)\b{_WORDS}[\s,]*(?:{_TO}"
        rf"|unanimously|out of|we|it|[-–—])(?!\w)",
    ),
    (
        0.88,
        "agreed voted committed pledged vowed undertaken undertook",
        rf"\b{_US}{_HAVE}(?:agreed|voted|committed|pledged|vowed|undertaken|undertook)\b{_WORDS}[\s,]*{_TO}(?!\w)",
    ),
    (0.85, "agreed", rf"\b{_US}{_HAVE}agreed (?:a|an|the)\b"),
    (
        0.8,
        "decided agreed voted resolved elected opted chosen chose",
        rf"\b(?:the|our|all|both) (?:(?!{_STRANGERS})[\w'’-]+ ){{0,4}}?(?!{_STRANGERS})[\w'’-]+{_HAVE}"
        rf"(?:decided|agreed|voted|resolved|elected|opted|chosen|chose)(?: unanimously| jointly| together)?"
        r" (?:to(?! disagree| be\b)|that|on|upon|against|for|not to|in favou?r of)(?!\w)",
    ),
    (
        0.66,
        "approved signed ratified vetoed okayed endorsed authorised authorized",
        rf"\b(?:the|our) (?:(?!{_STRANGERS})[\w'’-]+ ){{0,4}}?(?!{_STRANGERS})[\w'’-]+{_HAVE}(?:approved"
        rf"|signed off on"
        r"|ratified|vetoed|okayed|endorsed|authori[sz]ed) (?:the|our|a|an|all|every|(?-i:[A-Z\d]))",
    ),
    (
        0.68,
        "instead consensus vote acclamation decision a_go_for a_go_on",
        r"^instead of [^,]{1,40}, (?:we|the|all|our)\b|^by (?:\w+ )?(?:consensus|vote|acclamation"
        r"|decision)\b[^,]{0,30},"
        r"|\bit(?:['’]s| is) a go (?:for|on)\b",
    ),
    # we chose ..., the board has approved ...
    (
        0.88,
        "chosen chose selected picked adopted approved ratified endorsed greenlit greenlighted lit lighted settled"
        " landed converged gone went standardised standardized signed locked ruled mandated authorised authorized"
        " plumped ended minds mind green ahead nod approval blessing signoff thumbs designated appointed okayed"
        " awarded overruled rallied united coalesced zeroed nailed cleared sanctioned commissioned instituted"
        " introduced blessed",
        rf"\b{_US}{_HAVE}(?:chosen|chose|selected|picked|adopted|approved|ratified|endorsed|green-?li(?:t|ghted)"
        rf"|settled (?:up)?(?:on|for)|landed on|converged on|(?:gone|went) (?:ahead )?(?:with|for)"
        rf"|ended up (?:choosing|picking|going with|selecting|settling on|adopting|dropping|keeping)"
        r"|standardi[sz]ed on|signed off(?: on)?|locked in|ruled (?:out|in favou?r of|against)|mandated|authori[sz]ed"
        r"|awarded|(?:rallied|united) behind|coalesced around|zeroed in on|nailed down|cleared|sanctioned"
        r"|commissioned"
        r"|instituted|introduced|blessed|plumped for|made up (?:our|their|its) minds?"
        r"|(?:given|gave|got) (?:it |them |us )?(?:the |its |their |our |a )?(?:final |formal |full )?(?:green light"
        r"|go-ahead|nod|approval|blessing|sign-?off|thumbs up)|designated|appointed|okayed)(?! (?:you|your))\b",
    ),
    (
        0.68,
        "rejected accepted finalised finalized dropped banned prohibited abandoned scrapped shelved discontinued"
        " vetoed canceled cancelled overturned reversed revoked rescinded withdrawn withdrew called plug turned"
        " declined retired postponed confirmed",
        rf"\b{_US}{_HAVE}(?:rejected|accepted|finali[sz]ed|dropped|banned|prohibited|abandoned|scrapped|shelved"
        rf"|discontinued|vetoed|cancel+ed|overturned|reversed|revoked|rescinded|withdrawn|withdrew|called off"
        r"|pulled the plug on|turned down|declined|retired|postponed|confirmed that (?=.*\b(?:will|shall|must"
        r"|stays?|remains?|goes|gets|moves|won['’]t)\b))(?! (?:you|your))\b",
    ),
    (
        0.7,
        "concluded determined established",
        rf"\b{_US}{_HAVE}(?:concluded|determined|established) (?:that (?=[^,;]*\b(?:will|shall|must|should|would"
        rf"|won['’]t)\b)|to\b)",
    ),
    # I have decided to ...
    (
        0.68,
        "decided opted settled gone went approved ruled",
        rf"\bi(?:['’]ve| have)?(?: {_ADVERB},?){{0,3}} (?:decided (?:to(?! (?:look|check|read|structure|start"
        rf"|begin|list|include"
        rf"|explain|answer|search|skip|summari[sz]e|write|organi[sz]e|focus|try|keep (?:it|this"
        rf"|the answer))\b)|that|on|against|for|not to)|opted (?:for|to"
        rf"|against)|settled on|approved|ruled out)\b",
    ),
    (
        0.66,
        "chosen chose selected picked",
        rf"\bi(?:['’]ve| have)?(?: {_ADVERB},?){{0,3}} (?:chosen|chose|selected|picked)\b(?=[^.;]*\b(?:over"
        rf"|instead of|rather than|as (?:the|our)|for (?:the|our|all))\b)",
    ),
    # we are going with ..., we are dropping ...
    (
        0.76,
        "going sticking moving proceeding pressing settling standardising standardizing committing committed agreed"
        " decided settled resolved staying opting locking finalising finalizing gonna",
        rf"\b{_US}{_BE}(?:locking in|finali[sz]ing|(?:gonna|going to) (?:go|stick) with|going (?:ahead )?(?:with"
        rf"|for)|sticking (?:with|to)|moving (?:ahead|forward|on) with"
        rf"|proceeding with|pressing ahead with|settling (?:on|for)|standardi[sz]ing on|committ(?:ing|ed) to"
        rf"|agreed (?:on|to|that)"
        r"|decided (?:on|to)|settled on|resolved to|staying with|opting (?:for|to))\b",
    ),
    (
        0.66,
        "adopting dropping retiring sunsetting discontinuing banning deprecating phasing replacing abandoning"
        " scrapping shelving ditching switching moving consolidating rolling ending canceling cancelling outsourcing"
        " migrating",
        rf"\b{_US}{_BE}(?:adopting|dropping|retiring|sunsetting|discontinuing|banning|deprecating|phasing out"
        rf"|replacing|abandoning|scrapping|shelving|ditching|switching (?:over )?(?:to|from|all)|moving (?:away|off"
        rf"|from|to|over to|all)"
        r"|consolidating|rolling back|ending|cancel+ing|outsourcing|migrating (?:to|from|off|away))\b",
    ),
    (
        0.64,
        "longer support supporting renew renewing pursue pursuing accept accepting extend extending offer offering ship"
        " shipping hire hiring migrate migrating allow allowing fund funding sell selling build building buy buying",
        rf"\b{_US}(?:(?:['’]re| are| is) not going to| no longer| won['’]t(?: be)?| will not(?: be)?"
        rf"| aren['’]t going to"
        rf"| shall not) (?:support|renew|pursu|accept|extend|offer|ship|hire|migrat|allow|fund|sell|build|buy)(?:e"
        rf"|ing)?\b",
    ),
    (
        0.68,
        " ".join(
            f"now_{verb} now_{verb}s" for verb in ("require", "allow", "forbid", "ban", "mandate", "prohibit", "accept")
        ),
        rf"\b{_US} now (?:requires?|allows?|forbids?|bans?|mandates?|prohibits?|accepts?)\b",
    ),
    (
        0.68,
        "now_in_force now_in_effect now_applies now_apply",
        r"\b(?:policy|rule|rules|guideline|procedure|limit|ban)\b[^.;]{0,30} (?:is|are)? ?now (?:in (?:force"
        r"|effect)|applies|apply)\b",
    ),
    (
        0.64,
        "approved signed greenlit vetoed okayed authorised authorized",
        r"(?<![\w.] )\b(?!Congress|Parliament|The|It|This|That|Who|They|He|She|You|Nobody|None|Everyone|Someone"
        r"|Which|What|Not|Never|Has|Have|Had|Was)(?-i:[A-Z][a-z]+)(?: has)?"
        r" (?:approved|signed off on|green-?lit|vetoed|okayed|authori[sz]ed) (?:the|our|a|an|all)\b",
    ),
    (
        0.66,
        "allocated imposed lifted extended renewed reinstated capped raised lowered reduced increased waived"
        " suspended halted ordered forbade allowed permitted doubled halved froze frozen axed backed barred expanded"
        " cut",
        r"\b(?:(?:the|our) (?:[\w-]+ )?(?:board|committee|council|assembly|trustees|directors|executives|founders"
        r"|owners|ceo"
        rf"|cto|cfo|partners)|management|leadership){_HAVE}(?:allocated|imposed|lifted|extended|renewed"
        rf"|reinstated"
        r"|capped|raised|lowered|reduced|increased|waived|suspended|halted|ordered|forbade|allowed|permitted"
        r"|doubled|halved"
        r"|froze|frozen|axed|backed|barred|expanded|cut)\b",
    ),
    (
        0.68,
        "won wins carried",
        r"\b(?:won|wins|carried) the (?:vote|bid|tender|ballot)\b",
    ),
    (
        0.64,
        "board favour favor aligned",
        rf"\b{_US}(?:['’]re| was| were| is| are)(?: {_ADVERB})? (?:on board with|in favou?r of|aligned on)\b",
    ),
    (
        0.74,
        "decision vote resolution order",
        r"\bby (?:unanimous )?(?:decision|vote|resolution|order) of (?:the"
        r"|our)\b",
    ),
    (
        0.85,
        "following_decision following_resolution following_agreement",
        r"\bthe following (?:decision|resolution|agreement)s?(?: (?:was|were) \w+)?:(?= )",
    ),
    (0.66, "agreed settled decided", rf"\bthey{_HAVE}(?:agreed|settled|decided) (?:up)?on\b"),
    # we hereby adopt ..., we agree that it shall ...
    (
        0.74,
        "agree agrees resolve resolves commit commits choose chooses opt opts elect elects adopt adopts approves"
        " settle settles hereby",
        rf"\b{_US}{_NOW}(?:agrees? to(?! disagree)|agrees? (?:that|on) (?=.*\b(?:will|shall"
        rf"|must)\b)|resolves? (?:to|that)|commits? (?:to|ourselves)|choose|chooses|opts? (?:for|to|against)"
        rf"|elects? to|adopts?|approves|settles? on|hereby \w+)\b",
    ),
    (
        0.7,
        "go goes going stick sticking proceed proceeding standardise standardize standardising standardizing settle"
        " settling move moving adopt adopting",
        rf"\b{_US}(?: will|['’]ll| shall) (?:(?:now|therefore|be) )?(?:go(?:ing)? (?:ahead )?with|stick(?:ing)? with"
        rf"|proceed(?:ing)? with|standardi[sz](?:e|ing) on|settl(?:e|ing) on|mov(?:e|ing) (?:ahead|forward) with"
        rf"|adopt(?:ing)?)\b",
    ),
    (
        0.62,
        "instead longer forward wide default notice exclusively effective standard official primary sole from_now_on"
        " in_place_of",
        rf"\b{_US}(?: will|['’]ll| shall| won['’]t| must| no longer| are to)\b(?=.*\b(?:instead of|no longer"
        rf"|from now on|going forward|company-wide|by default|in place of|effective"
        r"|as (?:the|our) (?:standard|default|official|primary|sole|only)|until further notice|exclusively)\b)",
    ),
    # decided against ..., as agreed, ...
    (
        0.86,
        "decided agreed resolved opted voted elected committed settled",
        r"^(?:[^:.;]{1,30}: )?(?:also |then |unanimously |jointly |finally |(?:be )?it (?:is )?)*(?:decided|agreed"
        r"|resolved|opted|voted"
        r"|elected|committed|settled)(?:(?: unanimously| jointly| together)?|(?<=resolved),) (?:to(?! disagree| be)"
        r"|that|on|upon|against|for|not to|in favou?r of)\b(?! (?:that|this|it|you|both|all|everything)\b[.!]?$)",
    ),
    (
        0.7,
        "chose picked selected adopted approved rejected ruled went greenlit signed ratified light ahead thumbs",
        r"^(?:also |then |finally )?(?:chose|picked|ruled out|went with|greenlit|ratified|(?:green light|go-ahead"
        r"|thumbs up) (?:for|to)|(?:selected|adopted"
        r"|approved|rejected|signed off on)(?=[^.;]*\b(?:over|instead|as (?:the|our)|the (?:proposal|plan|budget|new"
        r"|move|design)|in favou?r)\b))\b",
    ),
    (
        0.7,
        "agreed decided resolved approved approval agreement decision signoff sign vote",
        r"(?:^|[,;] )(?:as (?:was |we |we have |already )?(?:agreed|decided|resolved|approved)\b(?! (?:with|by) you)"
        r"|(?:as )?per (?:your|our|the) (?:approval|agreement|decision|sign-?off)|(?:following"
        r"|in line with) (?:your|our"
        r"|the (?:\w+['’]s )?) ?(?:approval|agreement|decision|sign-?off|vote))[^,.;]{0,40},",
    ),
    # it was agreed that ..., the decision is to ..., a decision was made to ...
    (
        0.9,
        "decided agreed resolved determined settled concluded ruled decreed",
        rf"\bit(?:['’]s| is| was| has| had)(?: {_ADVERB})?(?: been)?(?: {_ADVERB}){{0,2}} (?:decided|agreed|resolved"
        rf"|determined|settled|concluded|ruled|decreed)\b{_WORDS}[\s,]*(?:{_TO}|we|[-–—])(?!\w)",
    ),
    (
        0.9,
        "decision consensus agreement resolution ruling verdict conclusion choice call outcome record vote judgement"
        " judgment compromise",
        rf"\b(?:{_NOUN})(?: (?:of|from|by|at|in|on|here|today|for)\b[^.;:,]{{0,40}}?)?(?:['’]s| is| was| has been"
        rf"|,? then,? is| came out| went| fell)(?: (?:now|therefore|final|made|taken|reached|clear|unanimous"
        rf"|\d+ ?(?:to|[-–:]) ?\d+|to go)\b,?(?: and)?)*"
        r" ?(?:to(?! be\b| make\b| you\b)|that|in favou?r of|against|not to|on|:)(?!\w)",
    ),
    (
        0.75,
        "decision choice pick verdict call",
        r"\b(?:our|the|final|team['’]s) (?:final )?(?:decision|choice|pick|verdict|call) (?:is"
        r"|was) (?=(?-i:[A-Z\"“]))",
    ),
    (
        0.86,
        "decision choice call agreement consensus resolution conclusion compromise",
        r"\b(?:made|took|taken|reached|reaches|came to|come to|arrived at|have|has|is|there was|there is) (?:(?:a|an"
        r"|the|our|this|that|final|formal|joint|unanimous|firm|clear|broad|full|general|collective|executive"
        r"|deliberate|conscious|now|rough) ?)*"
        r"(?:decision|choice|call|agreement|consensus|resolution|conclusion|compromise)(?: (?:today|yesterday"
        r"|together|in \w+|at \w+|on \w+day))?[,:]?(?: (?:to(?! be\b| make\b)|that(?! (?:was|is|were|has|had|can"
        r"|could|would|will|suits?|fits?|works?|makes?)\b)|not to|on)"
        r"|(?<=:))(?!\w)",
    ),
    (
        0.86,
        "decision decisions choice choices call calls resolution resolutions agreement agreements consensus",
        r"\b(?:decision|choice|call|resolution|agreement|consensus)s? (?:was|were|has been|have been|got) (?:made"
        r"|taken|reached|passed|adopted)(?: (?:by|at|in|on|today|yesterday|with)\b[^.;:]{0,40}?)?,?:? (?:to|that"
        r"|in favou?r of|against|not to|on)\b",
    ),
    (
        0.85,
        "agreed chosen approved decided finalised finalized",
        r"\b(?:the|our) (?:agreed|chosen|approved|decided|finali[sz]ed|agreed-upon) (?:upon )?(?:approach|plan|option"
        r"|solution|way forward|direction|path|strategy|design|name|date|course|policy|setup|architecture|tool|vendor"
        r"|price|format|stack|database)\b[^.;:]{0,40}? (?:is|was|will be|remains)\b(?! (?:still|not|pending|open"
        r"|to be (?:decided|determined|confirmed)))",
    ),
    (
        0.7,
        "fell falls landed lands went settled",
        r"\b(?:choice|vote|decision|selection)(?:['’]s)? (?:fell|falls|landed|went|settled|lands) (?:on|to|with|for"
        r"|in favou?r of)\b",
    ),
    # the proposal was accepted, X was chosen over Y, X is our standard
    (
        0.8,
        "approved accepted adopted ratified passed carried endorsed greenlit lit greenlighted lighted signed rejected"
        " turned voted confirmed declined withdrawn revoked overturned rescinded reversed granted backed denied"
        " defeated refused",
        r"\b(?:decision|proposal|plan|motion|rfc|adr|resolution|change|policy|budget|request|recommendation|idea"
        r"|offer|bid|amendment|suggestion)\b[^.;?]{0,80}? (?:(?:was|were|is now|has been|have been|got)(?: \w+ly)?"
        r" (?:approved|accepted|adopted|ratified|passed|carried|endorsed|green-?li(?:t|ghted)|signed off|rejected"
        r"|turned down|voted down|confirmed|declined|withdrawn|revoked|overturned|rescinded|reversed|granted|backed"
        r"|denied|refused)|(?:passed"
        r"|carried)\b)",
    ),
    (
        0.74,
        "approved accepted adopted ratified passed carried endorsed greenlit lit greenlighted signed rejected turned"
        " voted confirmed declined withdrawn revoked overturned rescinded reversed vetoed cancelled canceled shelved"
        " scrapped chosen selected picked mandated authorised authorized agreed decided ruled light ahead approval",
        rf"(?: was| were| has been| have been| got)(?: \w+ly| now)? (?:{_ACTED}|given (?:the )?(?:green light"
        rf"|go-ahead|approval))(?: \w+ly)? by {_GROUP}\b",
    ),
    (
        0.72,
        "chosen selected picked adopted",
        r"(?<!you )(?<!i )(?:['’]s| was| were| has been| have been| is now| are now| is| are)(?: \w+ly| now"
        r"| therefore| hereby)? (?:chosen|selected|picked|adopted)(?= (?:as|over|in favou?r|instead|unanimously"
        r"|effective|going forward|company-wide|for (?:the|our|all)|to (?:be|replace|serve|run|host|handle"
        r"|store))\b)",
    ),
    (
        0.7,
        "agreed ratified greenlit mandated ruled decided settled",
        r"(?<!you )(?:['’]s| was| were| has been| have been| is| are)(?: \w+ly| now| hereby)? (?:agreed (?:up)?on"
        r"|ratified|greenlit|mandated|decided (?:up)?on|settled (?:up)?on)(?= |[.!,;]|$)",
    ),
    (
        0.75,
        "official agreed chosen standard approved wide default",
        r"\b(?:is|are|was|were|has been|becomes?|became) (?:now |hereby )?(?:our|the) (?:new )?(?:official|agreed"
        r"|chosen|standard|approved|company-wide|default) \w+",
    ),
    # from now on, ...
    (
        0.74,
        "henceforth immediate notice effective from_now_on from_here_on from_this_",
        r"(?:^|[,;:.] |\band )(?:from now on(?:wards?)?|from here on(?: out)?|henceforth|from this (?:point|day|week"
        r"|month|quarter|sprint|release)(?: on(?:wards?)?| forward)?|with immediate effect|until further notice"
        r"|effective (?:immediately|today|now|from|as of|next|\w+ \d|\d)[^,]{0,20}),? (?!i\b|you\b|if\b|let|please"
        r"|consider|try|my\b|your\b)(?=\w)",
    ),
    (
        0.72,
        "forward onwards onward as_of_ starting_ beginning_ from_today from_tomorrow from_next_",
        r"(?:^|[,;:.] |\band )(?:going forward|moving forward|from (?:today|tomorrow|next \w+|\d[^,]{1,20}"
        r"|\w+ \d[^,]{0,12})(?: on(?:wards?)?)?"
        r"|as of (?:today|now|next|this|\w+ \d|\d)[^,]{0,20}|starting (?:today|now|next|this|immediately|\w+day|in"
        r"|with|on"
        r"|from|\w+ \d|\d)[^,]{0,25}"
        r"|beginning (?:today|next|in|with|on)[^,]{0,20}),? (?!i\b|you\b|if\b|let|please|consider|try|my\b"
        r"|your\b)(?=.*\b(?:will|must|shall|are|is|no|only|use|uses|all|every|requires?|need|may not|stops?|gets?"
        r"|goes|runs?)\b)",
    ),
    (
        0.72,
        "effective immediate from_now_on",
        r"[,;]? (?:effective (?:immediately|today|now|as of \w+|from \w+|next \w+)|with immediate effect"
        r"|from now on(?:wards)?)[.!]?$",
    ),
    # the plan is to ..., let's go with ..., ... (decided by ...), ...; that is final
    (
        0.62,
        "plan_is plan_remains intention_is intention_remains",
        r"\b(?:the|our) (?:\w+ )?(?:plan|intention) (?:is|remains) (?:now )?to(?! be\b)\b",
    ),
    (
        0.66,
        "let's_go let’s_go lets_go let's_stick let's_settle let’s_settle let's_make we_go_with we_stick_with we_go_for",
        r"^(?:(?:so|ok(?:ay)?|alright|all right|right|then|fine|great|cool|yes|perfect|sure)[,!]? )*(?:let['’]?s"
        r"|we(?! \w+ing)) (?:just )?(?:go (?:ahead )?with|go for|stick (?:with|to)|settle on|make it)\b(?! (?:the"
        r"|an?) "
        r"(?:assumption|example|placeholder))",
    ),
    (
        0.72,
        "decided agreed approved settled",
        r"[(\[–—] ?(?:as )?(?:was )?(?:decided|agreed|approved) (?:by|on|at|in|unanimously)\b|[(\[](?:decided"
        r"|agreed|approved)[)\]]| [–—-] (?:decided|agreed|approved|settled)[.!]?$",
    ),
    (
        0.72,
        "decided settled final official agreed",
        r"(?:[;,–—]| -) (?:and )?(?:that|this|it|which)(?:['’]s| is| was| has been)(?: now)? (?:decided|settled"
        r"|final|official"
        r"|agreed)(?: (?:in|at|on|by|yesterday|today|last|already|earlier|this)\b[^;?]{0,40})?[.!]?$"
        r"|\b(?:treat|note|consider|count|record)\w* (?:this|that|it) (?:as )?(?:final|decided|official|settled"
        r"|agreed):",
    ),
    # es wurde beschlossen, ...
    (
        0.75,
        "beschlossen entschieden vereinbart",
        r"\b(?:wurde|haben wir|wir haben)\b[^.;?]{0,80}\b(?:beschlossen|entschieden|vereinbart)\b"
        r"|\b(?:beschlossen|entschieden|vereinbart) (?:wurde|haben wir)\b",
    ),
    # it's settled: ..., going with ..., Oslo it is
    (
        0.7,
        "settled settles decided official agreed deal going moving"
        " sticking proceeding opting locked go decision that's_that that’s_that",
        r"^(?:so,? |ok(?:ay)?,? |alright,? |right,? |then,? |fine,? |great,? |cool,? |yes,? |perfect,? |sure,? "
        r"|final(?:ly)?:? )*(?:(?:it"
        r"|that)['’]?s (?:settled|decided|official|agreed|a deal|final|that)\b|settled|done deal|decision made"
        r"|that settles it|(?:we['’]re )?(?:going"
        r"|moving) (?:ahead |forward )?with|we go with|sticking with|proceeding with|opting for|locked in)\b(?! (?:by"
        r"|to you|yet|with))",
    ),
    (
        0.7,
        "it_is. it_is!",
        r"(?<=\w)(?<!what)(?<!how)(?<!as)(?<!way)(?<!than)(?<!like)(?<!where)(?<!who)(?<!because)(?<!think)(?<!that)"
        r"(?<!if) it is[.!](?= |$)",
    ),
)
_LETTERS = bytes(ord(chr(each).lower()) if chr(each).isalpha() and each < 128 else 32 for each in range(256))
"""Makes words out of ASCII bytes: three times as fast as a regular expression, and every message goes through it."""

_LABELS = frozenset(
    b"decision decisions decided agreed agreement agreements resolved resolution resolutions consensus ruling rulings"
    b" commitment commitments committed verdict settled locked greenlit"
    b" confirmed finalised finalized selection selected choice pick winner outcome conclusion conclusions policy call"
    b" motion ratified adopted decree mandate directive approved chosen final official entscheidung beschluss"
    b" entschieden beschlossen vereinbart vereinbarung supersedes overrides replaces".split()
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of words that states a decision, and what it cannot be without: cheap to look for."""

    confidence: float
    words: frozenset[bytes]
    phrases: tuple[tuple[frozenset[bytes], str], ...]
    pattern: re.Pattern[str]
    verb: re.Pattern[str] | None

    def may_be_in(self, text: str, words: set[bytes]) -> bool:
        """Whether a text of these words can have it."""
        if self.verb is not None and words.isdisjoint(_ACTORS):
            return False
        return not words.isdisjoint(self.words) or any(
            parts <= words and phrase in text.lower() for parts, phrase in self.phrases
        )

    def places(self, sentence: str) -> Iterator[re.Match[str]]:
        """Where it is in a sentence; its verb, which is cheap to find, is looked for before who acts."""
        if self.verb is None or self.verb.search(sentence):
            yield from self.pattern.finditer(sentence)


def _form(confidence: float, needs: str, pattern: str) -> Form:
    words = frozenset(need.encode() for need in needs.split() if "_" not in need)
    phrases = [need.replace("_", " ") for need in needs.split() if "_" in need]
    _, acted, verb = pattern.partition(_US)
    for between in (_HAVE, _BE, _NOW):
        verb = verb.removeprefix(between)
    return Form(
        confidence,
        words,
        tuple((frozenset(words_of(phrase)), phrase) for phrase in phrases),
        re.compile(pattern, re.IGNORECASE),
        re.compile(rf"\b{verb}", re.IGNORECASE) if acted else None,
    )


def words_of(text: str) -> set[bytes]:
    """The words of a text, in lower case and without what is not ASCII."""
    return set(text.encode("ascii", "replace").translate(_LETTERS).split())


_ACTORS = frozenset(
    words_of(
        "we us leadership management engineering everyone everybody all"
        " both majority"
        " most and organisation organisations adviser advisers "
        + f"{_AREA.replace('|', ' ')} "
        + " ".join(
            body.rpartition(" ")[2] + end
            for body in _BODY.replace("[sz]", "z").replace("[oe]", "o").replace("-?", "").split("|")
            for end in ("", "s", "es")
        )
    )
)
FORMS = tuple(_form(*form) for form in _TABLE)


def likely(text: str, forms: Iterable[Form] = FORMS) -> list[Form]:
    """The forms that can be in a text; in most there are none."""
    words = words_of(text)
    return [form for form in forms if form.may_be_in(text, words)]


def silent(text: str, forms: Iterable[Form] = FORMS) -> bool:
    """Whether a text has no word of a label or a heading that announces decisions, and none of these forms."""
    words = words_of(text)
    return words.isdisjoint(_LABELS) and not any(form.may_be_in(text, words) for form in forms)
