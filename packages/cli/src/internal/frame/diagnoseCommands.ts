/** The commands that diagnose an ensemble, with their flags. Their code is loaded when they run. */
import type { FourLetterWord } from "@effect-zookeeper/transport/FourLetterWord"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle, znodeOrRoot } from "./params.ts"

const discover = toggle("discover", "All members of the ensemble's own configuration, and not only those of --servers")

const within = Flag.String("within").pipe(
  Flag.withMetavar("duration"),
  Flag.withDescription("The time that a member has to answer; --timeout makes it shorter (default: 5s)"),
  Flag.withDefault("5s")
)

const canaryPath = Flag.String("path").pipe(
  Flag.withMetavar("znode"),
  Flag.withDescription("The znode that is read, and below which the write is made (default: /)"),
  Flag.withDefault("/")
)

const adminPort = optionalNumber(
  "admin-port",
  "port",
  "Ask the AdminServers at this port by HTTP, instead of words (they are at 8080 by default)"
)

const words = [
  "conf",
  "cons",
  "crst",
  "dirs",
  "dump",
  "envi",
  "gtmk",
  "hash",
  "isro",
  "mntr",
  "ruok",
  "srst",
  "srvr",
  "stat",
  "wchc",
  "wchp",
  "wchs"
] as const satisfies ReadonlyArray<FourLetterWord>

const fourLetterWord = Command.make(
  "4lw",
  {
    word: Argument.Literals("word", words).pipe(
      Argument.withDescription("The word; servers answer srvr, and others where 4lw.commands.whitelist has them")
    ),
    discover,
    within
  },
  handle(async () => (await import("../diagnose/words.ts")).words, { limited: "partly" })
).pipe(
  Command.withShortDescription("Ask each server a four-letter word"),
  Command.withDescription(
    "Ask each server a four-letter word. Ends with 0 if all answer, 1 if some do, and where none does with 5, or 6 if the " +
      "word is not allowed"
  ),
  Command.withExamples([
    { command: "zk 4lw srvr", description: "A summary, as the server writes it" },
    { command: "zk 4lw cons --json | jq '.[].answer[].session'", description: "Fields with names, for a script" }
  ])
)

const health = Command.make(
  "health",
  {
    expect: Flag.Literals("expect", ["alive", "ready", "leader", "read-only"]).pipe(
      Flag.withDescription(
        "alive: the process answers. ready: reads and writes are answered. leader: ready, and the leader or standalone. " +
          "read-only: reads alone, without a quorum (default: ready)"
      ),
      Flag.withDefault("ready")
    ),
    need: Flag.Literals("need", ["all", "majority", "any"]).pipe(
      Flag.withDescription("How many members must meet it (default: all; any for leader and read-only)"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    maxLatency: optionalText(
      "max-latency",
      "duration",
      "The longest that a session, a read, a write or a watch may take"
    ),
    path: canaryPath,
    discover,
    within
  },
  handle(async () => (await import("../diagnose/health.ts")).health, { limited: "partly" })
).pipe(
  Command.withShortDescription("Check each member by a session, a read, a write and a watch"),
  Command.withDescription(
    "Check each member by a session, a read, a write and a watch. Ends with 0 if they are as they should be, 1 if not, " +
      "and 5 if no member answers. The write is an ephemeral znode, which is deleted at once: PATH/zk-canary-…, or " +
      "/zk-canary/… at the root of the servers, where the container /zk-canary is deleted too. --read-only leaves it out"
  ),
  Command.withExamples([
    { command: "zk health -s localhost:2181", description: "One server, as a probe of its container" },
    { command: "zk health --need majority --max-latency 500ms", description: "The ensemble, for an alarm" }
  ])
)

const status = Command.make(
  "status",
  { adminPort, discover, within },
  handle(async () => (await import("../diagnose/status.ts")).status, { limited: "partly" })
).pipe(
  Command.withShortDescription("Print a table of the members: mode, version, lag, latency, load"),
  Command.withDescription(
    "Print a table of the members: mode, version, transactions and lag, latency in ms (average/longest), connections, " +
      "watches, znodes. It asks the words srvr and mntr, without a session. `zk doctor` says what is odd about them. Ends " +
      "with 0 if any member answers, and 5 if none does"
  ),
  Command.withExamples([
    { command: "zk status -s zk1:2181,zk2:2181,zk3:2181", description: "All members side by side" },
    { command: "zk status --json | jq '.members[] | select(.lag > 1000)'", description: "Members that are behind" }
  ])
)

const doctor = Command.make(
  "doctor",
  {
    path: znodeOrRoot("The root of the subtree to look through"),
    noTree: toggle("no-tree", "Look at the members alone, and not at znodes"),
    large: Flag.String("large").pipe(
      Flag.withMetavar("size"),
      Flag.withDescription("The bytes of data from which a znode is large (default: 512k)"),
      Flag.withDefault("512k")
    ),
    many: Flag.Int("many").pipe(
      Flag.withMetavar("number"),
      Flag.withDescription("The children from which a znode has many (default: 10000)"),
      Flag.withDefault(10_000)
    ),
    failOn: Flag.Literals("fail-on", ["error", "warning", "never"]).pipe(
      Flag.withDescription("Which findings make the command end with 1 (default: error)"),
      Flag.withDefault("error")
    ),
    adminPort,
    discover,
    within
  },
  handle(async () => (await import("../diagnose/doctor.ts")).doctor, { limited: "partly" })
).pipe(
  Command.withShortDescription("Look for what is odd about members, settings and znodes, and say what to do"),
  Command.withDescription(
    "Look for what is odd: members that are down, behind or slow, sessions with very many watches, releases and their " +
      "vulnerabilities, settings, clocks, disks, large znodes, long lists of children, ephemeral znodes without a " +
      "session, ACLs that are open to everybody, quotas. It changes nothing. Ends with 0 if it finds nothing of --fail-on, " +
      "1 if it does, and 5 if no member answers"
  ),
  Command.withExamples([
    { command: "zk doctor -s zk1:2181,zk2:2181,zk3:2181", description: "The members, and the whole tree" },
    { command: "zk doctor --no-tree --fail-on warning", description: "The members alone, for a nightly job" }
  ])
)

const exporter = Command.make(
  "exporter",
  {
    listen: Flag.String("listen").pipe(
      Flag.withMetavar("host:port"),
      Flag.withDescription("The address of the metrics (default: 127.0.0.1:9142)"),
      Flag.withDefault("127.0.0.1:9142")
    ),
    interval: Flag.String("interval").pipe(
      Flag.withMetavar("duration"),
      Flag.withDescription("The time between two probes of a member (default: 10s)"),
      Flag.withDefault("10s")
    ),
    noCanary: toggle("no-canary", "Ask the members alone, without sessions and probes"),
    httpsCert: optionalText(
      "https-cert",
      "file",
      "PEM: the certificate of the metrics, which are served by HTTPS then"
    ),
    httpsKey: optionalText("https-key", "file", "PEM: the private key of --https-cert"),
    httpsCa: optionalText(
      "https-ca",
      "file",
      "PEM: the authorities whose certificates a reader of the metrics must have"
    ),
    path: canaryPath,
    adminPort,
    discover,
    within
  },
  handle(async () => (await import("../diagnose/exporter.ts")).exporter, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Serve the metrics of all members for Prometheus"),
  Command.withDescription(
    "Serve the metrics of all members for Prometheus, at /metrics: those of mntr by their names, and those of a canary " +
      "that probes each member as health does"
  ),
  Command.withExamples([
    { command: "zk exporter -p prod --listen 0.0.0.0:9142", description: "For a Prometheus on another machine" },
    { command: "zk exporter --admin-port 8080 --no-canary", description: "By the AdminServers, and without sessions" },
    {
      command: "zk exporter --listen 0.0.0.0:9142 --https-cert me.pem --https-key me.key --https-ca ca.pem",
      description: "By HTTPS, for those who have a certificate of ca.pem"
    }
  ])
)

const top = Command.make(
  "top",
  {
    interval: Flag.String("interval").pipe(
      Flag.withMetavar("duration"),
      Flag.withDescription("The time between two looks (default: 1s)"),
      Flag.withDefault("1s")
    ),
    count: optionalNumber("count", "number", "How often to look (default: until q is pressed)", "n"),
    adminPort,
    discover,
    within
  },
  handle(async () => (await import("../diagnose/top.ts")).top, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Show the members live, with plots of their load"),
  Command.withDescription(
    "Show the members live, with plots of their load. One that does not answer is shown as it last was, with `waiting`, and\n" +
      "  as silent after --within. q, Esc or Ctrl-C leave it, with exit code 0. With --ndjson it prints each look, for which\n" +
      "  it waits until all have answered or --within is over"
  ),
  Command.withExamples([
    { command: "zk top -s zk1:2181,zk2:2181,zk3:2181", description: "All members, each second" },
    { command: "zk top --ndjson -n 60 > minute.ndjson", description: "A minute, for a script" }
  ])
)

export const diagnose = [fourLetterWord, health, status, top, doctor, exporter] as const
