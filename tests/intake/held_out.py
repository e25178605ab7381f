"""Four more labelled sets, each in other wording than what there was, each written when the rules were done.

Each was measured once before anybody looked at what failed, and the rules then improved. The first figures (precision,
recall): FIRST 1.00, 0.74; SECOND 0.97, 0.88; THIRD 0.94, 0.81; FOURTH 1.00, 0.87.
"""

from __future__ import annotations

import json

from tests.intake.outputs import Output, chatgpt, claude, claude_export, completion, lines, of, response, thread

FIRST: list[Output] = [
    of("Having weighed the quotes, management picked the Danish insurer.", "Danish insurer"),
    of("Bottom line: we're dropping the loyalty programme, it never paid for itself.", "loyalty programme"),
    of("The committee has ruled that volunteers may not handle cash.", "may not handle cash"),
    of("Verdict: ship it on Monday without the chat widget.", "without the chat widget"),
    of("After a show of hands, the crew resolved to paint the hull red.", "paint the hull red"),
    of("OK, it's settled: two warehouses, not three.", "two warehouses"),
    of("As of next Monday all refunds above 100 euros must be countersigned.", "countersigned"),
    of("We made the call to sunset the Windows client.", "sunset the Windows client"),
    of("The plan is final: the museum closes for renovation in July."),
    of("Our security guild has mandated hardware keys for administrators.", "hardware keys"),
    of("Ultimately the founders concluded that the company will not raise another round.", "not raise another round"),
    of("Ada and the legal department came to an agreement to publish the source under MIT.", "under MIT"),
    of("We hereby adopt the style guide of the city.", "style guide"),
    of("Effective immediately, contractors lose access to production.", "lose access"),
    of("Given the outage, we're switching to a managed database.", "managed database"),
    of("The jury is still out on whether we keep the printer."),
    of("Both teams committed to a joint roadmap.", "joint roadmap"),
    of("The vote was 5 to 2 in favour of the longer lease.", "longer lease"),
    of("It has been agreed among all parties that minutes are public.", "minutes are public"),
    of("The offer from Acme was turned down by the board.", "Acme"),
    of("Nothing has been signed, and nobody has agreed to anything so far."),
    of("Who decided that the logo should be green?"),
    of("Before we choose a vendor, we ought to collect three quotes."),
    of("Assuming the council approves the plan, work begins in spring."),
    of("You may wish to settle on one vendor."),
    of("It would be wise to adopt a naming convention."),
    of("She said they had agreed to move in together."),
    of("Our options are to buy, to lease, or to wait; all three have merit."),
    of("We are torn between Vienna and Graz."),
    of("Please decide by Thursday whether you will come."),
    of("The committee meets on Friday to decide the matter."),
    of("I'd go with the second draft, but it's your call."),
    of("There is no consensus on the colour."),
    of("Deciding early saves money."),
    of("The compiler decides at run time which branch is taken."),
    of("Without a vote, the proposal was neither accepted nor rejected."),
    of("Hypothetically, had the team chosen Erlang, hiring would be harder."),
    of("Maybe we agree on tea first and on cake later."),
    of(
        "# Minutes\n\n**Resolved**\n\n1. The pool opens at six.\n2. Dogs are welcome on"
        " Sundays.\n\n**Deferred**\n\n1. The new roof.",
        "pool opens at six",
        "Dogs are welcome",
    ),
    of(
        "## Outcome\n\nWe agreed that every tenant gets an own key.\n\n## Still to be discussed\n\n- The garden",
        "own key",
    ),
    of(
        "# 21. Draw maps with vector tiles\n\nStatus: Accepted\n\n## Context\n\nRaster tiles are heavy.\n\n##"
        " Decision\n\nMaps are drawn from vector tiles in the browser.\n\n## Consequences\n\nOld browsers see nothing.",
        "vector tiles in the browser",
    ),
    of(
        "---\ntitle: Choose a licence\nstatus: rejected\ndate: 2025-11-02\n---\n\n## Considered Options\n\n- GPL\n-"
        " MIT\n\n## Pros and Cons\n\n- Use of GPL scares some"
    ),
    of(
        "# Message format\n\n- Status: accepted\n- Deciders: Kim, Lou\n- Date: 2026-05-05\n\n## Decision"
        ' Outcome\n\nChosen option: "Protocol Buffers", since both sides speak it.',
        "Protocol Buffers",
    ),
    of(
        "- **Decision (2026-04-01, security):** disable password login\n  - why: phishing\n- **Decision"
        " (2026-04-02):** hire an auditor",
        "disable password login",
        "hire an auditor",
    ),
    of("**Key decisions**\n\n☑ Ship in two sizes\n☐ Ship in three colours", "two sizes"),
    of("> The team agreed to everything.\n\nThe above is quoted from a forum."),
    of("Sample answer:\n\n> Decision: yes\n\n```text\nAgreed: no\n```"),
    of("## Alternatives\n\nWe chose to list: buying, renting, waiting.\n"),
    of("### Pending\n\n- Decision on the roof\n- Agreement with the neighbours"),
    of("DECISION_LOG: Block traffic from unknown ASNs | STATUS: IN_FORCE | OWNER: NETOPS", "Block traffic"),
    of("14:02:11 DECISION: fail over to Frankfurt", "fail over to Frankfurt"),
    of("DECISION #44: SUPPLIERS ARE PAID WITHIN 14 DAYS. STATUS: FINAL.", "SUPPLIERS ARE PAID"),
    of("NEXT_DECISION: 2026-06-01\nSTATE: WAITING"),
    of(
        json.dumps({"decided": "Replace the boiler this summer", "why": "it leaks", "when": "2026-04-09"}),
        "Replace the boiler",
    ),
    of(
        json.dumps({"decision_log": [{"statement": "Serve the site in two languages", "domain": "product"}]}),
        "two languages",
    ),
    of(
        json.dumps({"title": "Reduce the menu to ten dishes", "rationale": "less waste", "date": "2026-03-09"}),
        "ten dishes",
    ),
    of(json.dumps({"title": "Soup recipe", "content": "Chop the onions. Add water."})),
    of(json.dumps({"decision": "none", "comment": "meeting was cancelled"})),
    of(json.dumps({"decision": "Undecided", "options": ["a", "b"]})),
    of(lines(json.dumps({"resolution": "Lend books for four weeks"}), json.dumps({"resolution": "n/a"})), "four weeks"),
    of(
        chatgpt(
            ("user", "log it"),
            ("assistant", "Noted. The agreed approach is to translate the manual first, so that dealers can start."),
        ),
        "translate the manual",
    ),
    of(
        chatgpt(
            ("user", "so?"),
            ("assistant", "To recap: you want advice on pricing. If I were you I'd decide after the survey."),
        )
    ),
    of(
        completion("Here's where we landed:\n\n**Decision:** self-host the fonts.\n**Rationale:** privacy."),
        "self-host the fonts",
    ),
    of(
        response("Once everyone has agreed, I can update the document."),
    ),
    of(
        thread(
            ("user", "We went with Oracle, didn't we?"),
            ("assistant", "I can't confirm that; there is no note of a choice."),
        )
    ),
    of(
        claude(
            "Summary of the call:\n- pricing stays as it is (agreed)\n- we opted to extend the pilot by six weeks\n-"
            " still open: branding"
        ),
        "pricing stays",
        "extend the pilot",
    ),
    of(claude_export(("human", "Decision: paint it black."), ("assistant", "Understood. Shall I write that down?"))),
    of("Human: any news?\nAssistant: Yes: the trustees have voted to lend the painting to Oslo.", "lend the painting"),
    of("me: they decided to leave\nbot: I am sorry to hear that."),
    of("Q: what did you choose?\nBot: We're sticking with the old supplier.", "old supplier"),
]

SECOND: list[Output] = [
    of("After reviewing the benchmarks, we chose FastAPI over Flask for the public API.", "FastAPI over Flask"),
    of("Team consensus is to postpone the migration until Q3.", "postpone the migration"),
    of("We have finalized the pricing: 9 euros per seat.", "pricing"),
    of("Decision made: onboarding emails will be sent in three waves.", "three waves"),
    of("The CTO has approved the move to ARM servers.", "ARM servers"),
    of("We'll go with option B and revisit in six months.", "option B"),
    of("Per today's meeting, it's been decided that support will be outsourced.", "support will be outsourced"),
    of("Approved: the new travel policy takes effect in May.", "travel policy"),
    of("Our final decision is to keep data in Frankfurt.", "Frankfurt"),
    of("We determined that all models must pass a bias audit before release.", "bias audit"),
    of("The working group endorsed the accessibility guidelines.", "accessibility guidelines"),
    of("We've agreed to cap the context window at 32k tokens.", "cap the context window"),
    of("Architecture decision: the gateway terminates TLS.", "terminates TLS"),
    of("Strategy decision - focus on mid-size hospitals first.", "mid-size hospitals"),
    of("So we're moving forward with the React Native rewrite.", "React Native rewrite"),
    of("I have decided to cache the embeddings in Redis to save cost.", "cache the embeddings"),
    of("We rejected the idea of a public leaderboard since it shames people.", "public leaderboard"),
    of("Agreement reached: both clinics share one calendar.", "share one calendar"),
    of("The agreed plan is to deprecate v1 in December.", "deprecate v1"),
    of("It's decided. We use Bazel.", "Bazel"),
    of("We will adopt a zero-retention policy for prompts.", "zero-retention policy"),
    of("On 12 February 2026 the product team agreed to remove the carousel.", "remove the carousel"),
    of("They made the decision to split the company in two.", "split the company"),
    of("Committed to: weekly demos, every Thursday.", "weekly demos"),
    of("We made a decision: the beta is invite-only.", "beta is invite-only"),
    # none
    of("We might decide to use FastAPI later on."),
    of("A decision on pricing will be made next month."),
    of("Have we agreed on the name yet?"),
    of("The team discussed three databases but did not reach a decision."),
    of("I would suggest going with PostgreSQL."),
    of("One option is to adopt GraphQL; another is to stay with REST."),
    of("What if the board had approved the budget?"),
    of("We can choose between blue and green deployments."),
    of("Consider adopting a code of conduct."),
    of("My recommendation: use managed Kubernetes."),
    of("We are still discussing whether to hire."),
    of("In case we agree to the merger, legal has to review it."),
    of("When you decide to upgrade, back up first."),
    of("The user wants us to decide on a mascot."),
    of("Users often choose the cheapest plan."),
    of("As an example, a team may decide to freeze deployments in December."),
    of("He wrote: \u201cWe have agreed to sell the house.\u201d"),
    of("We were going to choose Angular, but the vote never took place."),
    of("To decide, compare cost, speed and risk."),
    of("We haven't settled on a framework."),
    of("Decision makers want dashboards."),
    of("Decision: still under discussion."),
    of("Decision: none."),
    of("TODO: decide on the retention period"),
    of("I can help you decide."),
    of("Once the decision is made to move, we will tell the staff."),
    of("Could the committee have approved this without a quorum?"),
    of(
        "# ADR-004: Monorepo\n\n## Status\n\nSuperseded by ADR-9\n\n## Decision\n\nWe keep all packages in one"
        " repository.\n",
        "one repository",
    ),
    of(
        "# ADR 5 - Feature toggles\n\n**Status:** Accepted\n**Date:** 2026-01-15\n\n### Context\n\nReleases are"
        " risky.\n\n### Decision\n\nUse LaunchDarkly for toggles.\n\n### Consequences\n\n- More config",
        "LaunchDarkly",
    ),
    of(
        '---\nstatus: proposed\n---\n# Use Deno\n\n## Decision Outcome\n\nChosen option: "Deno", because it is'
        " modern.\n"
    ),
    of(
        "Meeting notes\n\n* Decision: move standup to 9:30\n* Action: Bob to update the invite\n* Question: do we"
        " need a retro?",
        "standup to 9:30",
    ),
    of(
        "### Decisions\n1. We will log in JSON.\n2. ~~We will log to files.~~ (withdrawn)\n\n### Open issues\n1. Log"
        " levels",
        "log in JSON",
        "log to files",
    ),
    of("- [x] Use TypeScript for new services\n- [ ] Write docs\n"),
    of("## Decision\n- [x] Use TypeScript for new services\n", "TypeScript for new services"),
    of("DECISION_LOG: RETIRE LEGACY AUTH STATUS: SUPERSEDED DATE: 2025-12-01", "RETIRE LEGACY AUTH"),
    of("DECISION_LOG: Move cron jobs to Temporal. STATUS: CONFIRMED. OWNER: Platform", "Temporal"),
    of(
        "DECISION LOG\n============\n2026-03-01: Use Vite for builds\n2026-03-02: Drop Node 16", "Use Vite", "Drop Node"
    ),
    of(
        json.dumps(
            {
                "decisions": [
                    {"decision": "Use Sentry", "status": "accepted"},
                    {"decision": "Use Datadog", "status": "rejected"},
                ]
            }
        ),
        "Use Sentry",
    ),
    of(
        json.dumps(
            {
                "title": "Adopt conventional commits",
                "content": "All commits follow the convention.",
                "date": "2026-03-10",
                "type": "process",
            }
        ),
        "Adopt conventional commits",
    ),
    of(json.dumps({"name": "Quarterly report", "description": "Revenue grew by 4 percent."})),
    of(json.dumps({"summary": "We agreed to ship the SDK in May.", "participants": ["a", "b"]}), "ship the SDK"),
    of(json.dumps([{"role": "user", "content": "Decision: X"}, {"role": "assistant", "content": "Is that final?"}])),
    of(
        lines(
            json.dumps({"role": "assistant", "content": "We decided to hash the e-mail addresses."}),
            json.dumps({"role": "user", "content": "ok"}),
        ),
        "hash the e-mail",
    ),
    of(
        chatgpt(
            ("user", "Summarise"),
            ("assistant", "**Summary**\n\n- Budget: discussed\n- Hosting: we decided on Hetzner\n- Name: undecided"),
        ),
        "Hetzner",
    ),
    of(
        chatgpt(
            ("user", "We decided to go with AWS. Any tips?"), ("assistant", "Great choice! Start with a landing zone.")
        )
    ),
    of(
        completion(
            "Sure! Here is a draft memo:\n\n> We have decided to close the Berlin office.\n\nLet me know if it fits."
        )
    ),
    of(response("Understood. The decision to use Kotlin has been recorded. Next, set up Gradle.")),
    of(
        claude("I've gone ahead and made the choice to use pnpm instead of npm for the workspace."),
        "pnpm instead of npm",
    ),
    of("User: Which one?\nAssistant: Decision: go with Plan A.\nReason: fewer steps.", "go with Plan A"),
    of("assistant: The options are X and Y. I haven't decided.\nuser: take X"),
]

THIRD: list[Output] = [
    of("We'll be standardizing on Terraform across all clouds.", "Terraform"),
    of("We've made up our minds: the app stays free.", "app stays free"),
    of("Our team has resolved to publish monthly transparency reports.", "transparency reports"),
    of("Quick update: we ended up choosing Vue for the admin panel.", "Vue"),
    of("The verdict is in: Rust for the parser, Python for the rest."),
    of("After careful consideration, we've opted out of the affiliate programme.", "affiliate programme"),
    of("It has been decided to rotate on-call weekly.", "rotate on-call"),
    of("We agreed upon a code freeze starting December 15.", "code freeze"),
    of("Everyone on the call agreed that the beta ships without SSO.", "beta ships without SSO"),
    of("The group reached consensus: no AI-generated images in ads.", "no AI-generated images"),
    of("Decision recorded: use blue-green deployments.", "blue-green"),
    of("Decision #12 — the API will return ISO 8601 dates.", "ISO 8601"),
    of("Decision (technical): switch from REST to gRPC internally", "REST to gRPC"),
    of("Decided: we keep Jenkins for now.", "Jenkins"),
    of("DECIDED - Sunset the v1 endpoints by June.", "Sunset the v1"),
    of("Agreed — Tom owns the rollout.", "Tom owns the rollout"),
    of("Agreed upon: 30-day password expiry is removed.", "password expiry"),
    of("We are now committed to a public roadmap.", "public roadmap"),
    of("Final: we go with Cloudflare.", "Cloudflare"),
    of("Conclusion: We will use Postgres.", "Postgres"),
    of("The proposal to hire a data protection officer was approved.", "data protection officer"),
    of("The board has voted to divest from fossil fuels.", "divest"),
    of("Management's decision is that overtime gets paid.", "overtime gets paid"),
    of("We've decided the mobile client will be written in Flutter.", "Flutter"),
    of("In today's sync we decided: (1) drop Redis, (2) use Postgres queues.", "drop Redis"),
    of("We officially adopted conventional commits today.", "conventional commits"),
    of("We decided - after much debate - to support only Chrome.", "support only Chrome"),
    of("The choice was made to localize into five languages.", "localize into five"),
    of("Resolution: The committee will fund two scholarships.", "two scholarships"),
    of("For security reasons, we decided to disable SMS login.", "disable SMS login"),
    of("We shall use Kafka instead of RabbitMQ.", "Kafka"),
    of("Henceforth, all secrets live in Vault.", "secrets live in Vault"),
    of("We are not going to support Windows 7.", "Windows 7"),
    of("As decided in the meeting, the logo will be green.", "logo will be green"),
    of("This supersedes our earlier decision to use MySQL: we now use PostgreSQL."),
    of("We reversed the decision to charge for exports.", "reversed the decision"),
    of("We decided to use Postgres instead of MySQL.", "Postgres instead of MySQL"),
    of("We were about to decide when the fire alarm rang."),
    of("We will decide on the vendor after the demo."),
    of("The team hasn't agreed on anything."),
    of("A decision has not yet been reached."),
    of("Had we decided earlier, we could have saved money."),
    of("We'd decide to go serverless if costs allowed."),
    of("It was suggested that we decide next week."),
    of("If the board approves, we will hire."),
    of("Please choose one of the following options."),
    of("Which one did we choose?"),
    of("You decided to use Vue, as you mentioned earlier."),
    of('"We decided to use React," the user wrote.'),
    of("The user says: we agreed to ship on Monday."),
    of("In this hypothetical, the company decided to lay off staff."),
    of("Let's decide together!"),
    of("Should the team agree to this, costs will double."),
    of("I'm not sure whether we agreed to that."),
    of("Pros: cheap. Cons: slow. We could go with either."),
    of("The decision to use Kafka was a mistake in hindsight."),
    of("Decision support systems help managers."),
    of("A decision record should contain context and consequences."),
    of("We have to make a decision on hosting."),
    of("We're considering moving to Kubernetes."),
    of("We plan to adopt Kubernetes next year."),
    of("There was no agreement on pricing."),
    of("Options: (a) we adopt X; (b) we adopt Y."),
    of("Proposed: adopt X."),
    of("Suggestion: switch to Bun."),
    of("Draft decision: use Bun."),
    of("Decision: ?"),
    of("Decision: N/A"),
    of("Decision: we need more information before choosing."),
    of("Decision: not yet made"),
    of("Decision: deferred to next sprint"),
    of("I agree that PostgreSQL is a good choice."),
    of("Agreed! Let me know if you need more."),
    of("Agreed. I can help with that."),
    of("Congress approved the bill in 1964."),
    of("Netflix decided to move to AWS in 2008."),
    of("The judge ruled that the contract was void."),
    of("Einstein chose to leave Germany."),
    of("The model was chosen by cross-validation."),
    of("The selected items are highlighted in blue."),
    of("Select the option you agreed on."),
    of("Once we've chosen a vendor we can start."),
    of("Unless we decide otherwise, nothing changes."),
    of("Nothing was decided today."),
    of("We did not decide to drop support."),
    of("We decided nothing."),
    of("We agreed to disagree."),
    of("We agreed to discuss it again next week."),
    of("We almost agreed to the merger."),
    of("Suppose we had agreed to the merger."),
    of("What did the committee decide?"),
    of("Remember when we decided to use Perl?"),
    of('For example, "Decision: use X" would be a valid entry.'),
    of("> Agreed: X\n\nI disagree with this."),
    of("```\nWe decided to use X\n```"),
    of("Assistant: I'd recommend that the team decides to use X.\nUser: hmm"),
    of("# ADR\n\n## Status\nDraft\n\n## Decision\nWe will use X."),
    of("## Considered options\n1. We will use X\n2. We will use Y\n\n## Decision outcome\n\nPending."),
    of('## Decision Outcome\n\nWe chose option 2, "SQLite", because it needs no server.', "SQLite"),
    of("* Decision: Use pnpm\n* Decision: Use Vitest", "Use pnpm", "Use Vitest"),
    of("1. **Decision**: Use pnpm\n   **Rationale**: faster", "Use pnpm"),
    of("### 2026-03-01\n- Decided to use Vite\n- Talked about CSS\n- Agreed to drop IE", "use Vite", "drop IE"),
    of("**Decision** - Use ESLint flat config", "ESLint flat config"),
    of("__Decision:__ Use Biome", "Use Biome"),
    of("Decision → move to EU-West", "EU-West"),
    of(
        "| # | Decision | Status |\n|--|--|--|\n| 1 | Use Helm | Accepted |\n| 2 | Use Nomad | Rejected |\n| 3 "
        "| Use Knative | Proposed |",
        "Use Helm",
    ),
    of(
        "ADR-0007: Use OpenTelemetry\nStatus: Accepted\nDate: 2026-02-03\nDecision: Instrument all services with"
        " OpenTelemetry.\nConsequences: more data",
        "Instrument all services",
    ),
    of("STATUS: DECIDED\nDECISION: Use Loki", "Use Loki"),
    of("[2026-03-01T10:00:00Z] [DECISION] Use Loki for logs", "Use Loki"),
    of("INFO 2026-03-01 DECISION_LOG: Use Mimir. REASON: scale.", "Use Mimir"),
    of("DECISION LOG: Use Tempo | STATUS: REVOKED", "Use Tempo"),
    of(json.dumps({"type": "decision", "text": "Use Argo CD", "timestamp": "2026-03-01T00:00:00Z"}), "Argo CD"),
    of(json.dumps({"type": "decision", "content": "Use Flux", "reason": "simple"}), "Use Flux"),
    of(json.dumps({"type": "note", "content": "Flux is a tool"})),
    of(json.dumps({"outcome": "Approved: hire Kim", "date": "2026-03-01"}), "hire Kim"),
    of(json.dumps({"choice": "PostgreSQL", "rationale": "ACID", "alternatives": ["MySQL"]}), "PostgreSQL"),
    of(json.dumps({"data": {"decisions": [{"decision": "Use X for Y"}]}}), "Use X for Y"),
    of(json.dumps({"meeting": "m", "notes": ["We decided to hire Kim."]}), "hire Kim"),
    of(json.dumps({"title": "Use X?", "type": "question"})),
    of(json.dumps({"title": "We decided to use Deno", "body": "It is fast."}), "use Deno"),
    of(json.dumps({"content": "Should we use Deno?"})),
    of(json.dumps({"decision": "We have not decided yet"})),
]

FOURTH: list[Output] = [
    of("Heads-up: legal signed off on the new terms this morning.", "new terms"),
    of("The maintainers have agreed to freeze features for the LTS branch.", "freeze features"),
    of("We're scrapping the referral bonus.", "referral bonus"),
    of("It has now been settled that the depot stays in Utrecht.", "depot stays"),
    of(
        "After a long debate the panel came to the conclusion that we must disclose the incident.",
        "disclose the incident",
    ),
    of("We've landed on three price tiers.", "three price tiers"),
    of("The outcome of the vote: the statutes are amended.", "statutes are amended"),
    of("Product and design agreed to kill the onboarding wizard.", "onboarding wizard"),
    of("All in favour, so the motion to buy the plot is carried.", "buy the plot"),
    of("I've opted for a queue instead of cron, since retries come for free.", "queue instead of cron"),
    of("Given all this, the team opts for incremental delivery.", "incremental delivery"),
    of("We have chosen not to train on customer data.", "not to train"),
    of("Our directors have authorised the sale of the warehouse.", "sale of the warehouse"),
    of("Starting Monday, invoices are sent as PDF only.", "PDF only"),
    of("The company will no longer accept cheques.", "cheques"),
    of("Decision reached: the retention period is 90 days.", "90 days"),
    of("Policy decision: managers don't read private channels.", "private channels"),
    of("We concluded that all vendors must sign the code of conduct.", "code of conduct"),
    of("The council unanimously adopted the cycling plan.", "cycling plan"),
    of("Meeting outcome: we hire two testers.", "two testers"),
    of("So the answer is yes: we will go with the Swiss host.", "Swiss host"),
    of("The team decided, and I documented it in the wiki, to rename the main branch.", "rename the main branch"),
    of("It could be agreed later that the depot moves."),
    of("They may have decided already, ask Kim."),
    of("Nobody on the team decided to skip the tests."),
    of("I wonder if we agreed on the font."),
    of("Deciding between tea and coffee takes me ages."),
    of("Our aim is to decide by spring."),
    of("You could say that we chose poorly, but did we?"),
    of("Choose a strong password."),
    of("The council has yet to vote on the plan."),
    of("The approved list contains six colours."),
    of("Feel free to adopt whichever style you like."),
    of("The thief decided to run, the novel says."),
    of("Nothing is settled until the contract is signed."),
    of("How did the committee come to approve this?"),
    of("Some say the board agreed in secret."),
    of("Had the board not approved the loan, the firm would be gone."),
    of("We keep deciding and undeciding."),
    of("Consensus is hard to reach in large groups."),
    of("The proposal is to merge both funds."),
    of("Agreed in principle, details to follow."),
    of("If in doubt, go with the default."),
    of("It was almost agreed that we leave."),
    of(
        "# Decision log\n\n- 2026-04-01: Retire the fax line\n- 2026-04-02: Give interns laptops",
        "fax line",
        "interns laptops",
    ),
    of(
        "## Decision summary\n\nWe keep the tests in the same repository.\n\n## Rejected ideas\n\n- Use a second"
        " repository",
        "same repository",
    ),
    of(
        "# 9. Sign releases\n\n## Status\n\naccepted\n\n## Decision\n\nReleases are signed with minisign.\n\nKeys"
        " live in the safe.\n\n## Consequences\n\nSlower releases.",
        "minisign",
    ),
    of(
        "Title: Use SSE for updates\nStatus: Accepted\nContext: polling is wasteful\nDecision: Updates are pushed by"
        " server-sent events.",
        "server-sent events",
    ),
    of("- Agreement: Kim presents on Monday\n- No agreement: who pays for lunch", "Kim presents"),
    of("**Not decided:** the colour of the door\n**Decided:** the door opens outwards", "opens outwards"),
    of(
        "### Questions\n\n- Should we decide on Rust now?\n\n### Answers\n\n- We decided on Rust in May.", "Rust in May"
    ),
    of("| Topic | Decision |\n|---|---|\n| Fonts | Inter everywhere |\n| Icons | TBD |", "Inter everywhere"),
    of("DECISION_LOG [2026-04-04]: KEEP COBOL BATCH JOBS; STATUS: ACCEPTED", "KEEP COBOL"),
    of('level=info msg="decision: retry in 5s"'),
    of(
        json.dumps({"decisions": ["Pay in euros", "Open on Sundays"], "open": ["Parking"]}),
        "Pay in euros",
        "Open on Sundays",
    ),
    of(json.dumps({"agent": "Strategist", "decision": "Enter the Nordic market", "confidence": 0.7}), "Nordic market"),
    of(json.dumps({"decision": "no decision", "notes": "quorum missing"})),
    of(json.dumps({"title": "Team lunch", "date": "2026-04-01", "type": "event"})),
    of(completion("Understood. Going forward, invoices will carry the VAT number."), "VAT number"),
    of(chatgpt(("user", "We agreed to use Go, so write me a server."), ("assistant", "Sure, here is a server in Go."))),
    of(
        claude("In the text you pasted, the author claims \u2018we have decided to ban cars\u2019. No source is given.")
    ),
    of("Human: decide!\nClaude: Very well. It's settled. The picnic takes place on Saturday.", "picnic takes place"),
    of("assistant: Decision: adopt plan B\nassistant: Decision: adopt plan C later?", "plan B"),
]
