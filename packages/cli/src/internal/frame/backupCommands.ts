/** The commands of backups and of the files of servers, with their flags. Their code is loaded when they run. */
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { formats } from "../../ZnodeData.ts"
import { handle } from "./handle.ts"
import { conditions, optionalNumber, optionalText, toggle, znode } from "./params.ts"

const file = (name: string, description: string) =>
  Argument.String(name).pipe(Argument.withMetavar("file"), Argument.withDescription(description))

const treeRef = (name: string, description: string) =>
  Argument.String(name).pipe(Argument.withMetavar("tree"), Argument.withDescription(description))

const trees =
  "/path, @profile/path, zk://servers/path, backup:FILE, snapshot:FILE, data:DIRECTORY or data:DIRECTORY@MOMENT (data:DIRECTORY,LOGS with a dataLogDir); #/path for a subtree of a file"

const logs = optionalText("logs", "directory", "The folder of its logs, if the server has a dataLogDir")

const yes = toggle("yes", "Do not ask", "y")

const keeping = {
  kinds: Flag.Literals("kinds", ["keep", "persistent"]).pipe(
    Flag.withDescription("Whether containers and TTL znodes stay what they are (default: keep)"),
    Flag.withDefault("keep" as const)
  ),
  openAcls: toggle("open-acls", "Give every znode an ACL that is open to all, in place of its own"),
  noCounters: toggle("no-counters", "Leave the numbers of sequential znodes as they are"),
  maxRaise: optionalNumber("max-raise", "number", "By how much a number is raised at most (default: 1000000)")
}

const writing = {
  dryRun: toggle("dry-run", "Say what would be done, and write nothing", "n"),
  overwrite: Flag.Literals("overwrite", ["older", "never", "always"]).pipe(
    Flag.withDescription("Which other znodes of the target are overwritten (default: older, which spares newer ones)"),
    Flag.withDefault("older" as const)
  ),
  ...keeping,
  yes
}

const backup = Command.make(
  "backup",
  {
    path: znode("The root of the subtree"),
    file: file("file", "The file to write; compressed if its name ends with .gz"),
    data: optionalText("data", "directory", "The data directory of a server, to know containers and TTLs from"),
    logs,
    skip: toggle("skip-unreadable", "Leave out what may not be read, and say so"),
    restart: toggle("restart", "Begin anew, whatever an interrupted run has left"),
    force: toggle("force", "Replace a file that exists")
  },
  handle(async () => (await import("../backup/backup.ts")).backup)
).pipe(
  Command.withDescription("Read a live tree into one file, of one moment; go on after an interruption"),
  Command.withExamples([
    { command: "zk backup / all.ndjson.gz", description: "Everything but /zookeeper" },
    { command: "zk backup /app app.ndjson.gz --auth-file super.auth", description: "With the hashes of all ACLs" }
  ])
)

const restore = Command.make(
  "restore",
  {
    file: file("file", "The backup"),
    target: treeRef("target", "Where to: /path, @profile/path or zk://servers/path (default: where it was)").pipe(
      Argument.optional,
      Argument.map(Option.getOrUndefined)
    ),
    ...writing
  },
  handle(async () => (await import("../backup/restore.ts")).restore)
).pipe(
  Command.withDescription("Write a backup into an ensemble: says first what it does, and asks; deletes nothing"),
  Command.withExamples([
    { command: "zk restore app.ndjson.gz --dry-run", description: "What would be created, overwritten and left" },
    { command: "zk restore app.ndjson.gz /app-restored --yes", description: "To another place, in a script" }
  ])
)

const copy = Command.make(
  "copy",
  {
    source: treeRef("source", `The tree to copy: ${trees}`),
    target: treeRef("target", "Where to: /path, @profile/path or zk://servers/path"),
    ...writing
  },
  handle(async () => (await import("../backup/restore.ts")).copy)
).pipe(
  Command.withDescription("Copy a tree of any size, also between ensembles, with the numbers of sequential znodes"),
  Command.withExamples([
    { command: "zk copy @prod/app @staging/app --dry-run", description: "Between the ensembles of two profiles" },
    { command: "zk copy 'data:/var/lib/zookeeper@0x2a7#/app' /app", description: "As it was at a zxid" }
  ])
)

const comparing = {
  counters: toggle("counters", "Compare the numbers of sequential znodes, too"),
  ephemerals: toggle("ephemerals", "Compare ephemeral znodes, too")
}

const diff = Command.make(
  "diff",
  { left: treeRef("left", `A tree: ${trees}`), right: treeRef("right", "Another one"), ...comparing },
  handle(async () => (await import("../backup/diff.ts")).diff)
).pipe(
  Command.withDescription("Compare two trees, live or in files; the exit code is 1 if they are different"),
  Command.withExamples([
    { command: "zk diff backup:app.ndjson.gz /app", description: "What has changed since a backup" },
    { command: "zk diff @prod/app @staging/app", description: "Two ensembles" }
  ])
)

const mirror = Command.make(
  "mirror",
  {
    source: treeRef("source", "The live tree: /path, @profile/path or zk://servers/path"),
    target: treeRef("target", "Where to: /path, @profile/path or zk://servers/path"),
    deletes: toggle("delete", "Delete what is not in the source"),
    data: optionalText("data", "directory", "The data directory of a server, to know containers and TTLs from"),
    logs,
    ...keeping,
    yes
  },
  handle(async () => (await import("../backup/mirror.ts")).mirror, { limited: "ifAsked" })
).pipe(
  Command.withDescription("Keep a copy of a live tree current, until Ctrl-C; says how far it is behind"),
  Command.withExamples([{ command: "zk mirror @prod/app @standby/app --delete", description: "To another ensemble" }])
)

const tree = file("file", "A snapshot, a data directory, or a backup")

const of = {
  file: tree,
  at: optionalText("at", "moment", "A zxid as in 0x1f, or a time as in 2026-01-31T12:00:00Z, of a data directory"),
  logs
}

const path = znode("The znode (default: the first one of the tree)").pipe(
  Argument.optional,
  Argument.map(Option.getOrUndefined)
)

const snapshot = Command.make("snapshot").pipe(
  Command.withDescription("Look at the trees in files: snapshots, data directories at any moment, backups"),
  Command.withExamples([
    { command: "zk snapshot tree /var/lib/zookeeper -L 2", description: "What a server that does not run has" },
    { command: "zk snapshot get app.ndjson.gz /app/config", description: "One znode of a backup" }
  ]),
  Command.withSubcommands([
    Command.make(
      "ls",
      {
        ...of,
        path,
        long: toggle("long", "Kind, version, children, bytes and time of the last write of each", "l"),
        recursive: toggle("recursive", "The whole subtree, with its root", "R")
      },
      handle(async () => (await import("../files/snapshot.ts")).ls)
    ).pipe(
      Command.withDescription("List the children of a znode"),
      Command.withExamples([
        { command: "zk snapshot ls app.ndjson.gz", description: "The top of a backup" },
        {
          command: "zk snapshot ls -l /var/lib/zookeeper /app",
          description: "The newest state of a server that does not run"
        }
      ])
    ),
    Command.make(
      "tree",
      {
        ...of,
        path,
        depth: optionalNumber("depth", "levels", "How many levels to show (default: all)", "L"),
        sizes: toggle("sizes", "The bytes of each znode")
      },
      handle(async () => (await import("../files/snapshot.ts")).tree)
    ).pipe(
      Command.withDescription("Draw a subtree"),
      Command.withExamples([
        {
          command: "zk snapshot tree /var/lib/zookeeper /app --at 2026-01-31T12:00:00Z",
          description: "As it was at a time"
        }
      ])
    ),
    Command.make(
      "get",
      {
        ...of,
        path: znode("The znode to read"),
        as: Flag.Literals("as", formats).pipe(
          Flag.withDescription("How to show the data (default: auto on a terminal; raw elsewhere)"),
          Flag.optional,
          Flag.map(Option.getOrUndefined)
        ),
        gunzip: toggle("gunzip", "Uncompress data that is gzip, whatever the form")
      },
      handle(async () => (await import("../files/snapshot.ts")).get)
    ).pipe(
      Command.withDescription("Print the data of a znode"),
      Command.withExamples([
        { command: "zk snapshot get /var/lib/zookeeper /app/config --at 0x2a7", description: "As it was at a zxid" },
        { command: "zk snapshot get app.ndjson.gz /app/config > config.json", description: "Out of a backup" }
      ])
    ),
    Command.make(
      "stat",
      { ...of, path: znode("The znode to look at") },
      handle(async () => (await import("../files/snapshot.ts")).stat)
    ).pipe(
      Command.withDescription("Print the stat of a znode"),
      Command.withExamples([
        {
          command: "zk snapshot stat app.ndjson.gz /app --json | jq .stat.version",
          description: "One field, for a script"
        }
      ])
    ),
    Command.make(
      "find",
      {
        ...of,
        path,
        ...conditions
      },
      handle(async () => (await import("../files/snapshot.ts")).find)
    ).pipe(
      Command.withDescription("Find the znodes that meet all conditions"),
      Command.withExamples([
        { command: "zk snapshot find /var/lib/zookeeper / --larger 512k -l", description: "Large znodes" },
        {
          command: "zk snapshot find /var/lib/zookeeper /locks --kind ephemeral --at 2026-01-31T12:00:00Z",
          description: "The holders of locks at a time"
        }
      ])
    ),
    Command.make(
      "top",
      {
        ...of,
        by: Flag.Literals("by", ["bytes", "children", "subtree"]).pipe(
          Flag.withDescription("The order: bytes of data (default), children, or bytes of the subtree"),
          Flag.withDefault("bytes" as const)
        ),
        count: optionalNumber("count", "number", "How many (default: 20)", "n").pipe(Flag.map((count) => count ?? 20))
      },
      handle(async () => (await import("../files/snapshot.ts")).top)
    ).pipe(
      Command.withDescription("The largest znodes"),
      Command.withExamples([
        { command: "zk snapshot top /var/lib/zookeeper", description: "By the bytes of their data" },
        { command: "zk snapshot top /var/lib/zookeeper --by subtree -n 10", description: "By what is below them" }
      ])
    ),
    Command.make(
      "diff",
      {
        left: file("left", "A snapshot, a data directory, or a backup"),
        right: file("right", "Another one"),
        ...comparing
      },
      handle(async () => (await import("../files/snapshot.ts")).diff)
    ).pipe(
      Command.withDescription("Compare two files; the exit code is 1 if they are different"),
      Command.withExamples([
        { command: "zk snapshot diff monday.ndjson.gz tuesday.ndjson.gz", description: "Two backups" },
        { command: "zk snapshot diff zk1/version-2 zk2/version-2 --ephemerals", description: "The data of two servers" }
      ])
    ),
    Command.make(
      "export",
      {
        ...of,
        output: file("backup", "The backup to write; compressed if its name ends with .gz"),
        path: znode("The root of the subtree (default: all of it)").pipe(
          Argument.optional,
          Argument.map(Option.getOrUndefined)
        ),
        force: toggle("force", "Replace a file that exists")
      },
      handle(async () => (await import("../files/snapshot.ts")).exportTree)
    ).pipe(
      Command.withDescription("Write the tree as a backup, which zk restore takes"),
      Command.withExamples([
        {
          command: "zk snapshot export /var/lib/zookeeper app.ndjson.gz /app",
          description: "A subtree of a server that does not run"
        },
        {
          command: "zk snapshot export /var/lib/zookeeper before.ndjson.gz --at 0x2a7",
          description: "All of it, as it was at a zxid"
        }
      ])
    )
  ])
)

const moments = {
  from: optionalText("from", "moment", "From this zxid (0x1f) or time (2026-01-31T12:00:00Z) on"),
  to: optionalText("to", "moment", "Up to this zxid or time")
}

/** As `zk log` names them. */
const transactionTypes = [
  ...(["create", "delete", "setData", "setAcl", "check", "multi", "error"] as const),
  ...(["createSession", "closeSession"] as const)
] as const

const logFile = file("file", "A transaction log, or a data directory with all of them")

const log = Command.make("log").pipe(
  Command.withDescription("Look at the transaction logs of servers: who changed a znode, and when"),
  Command.withExamples([
    { command: "zk log grep /app/config /var/lib/zookeeper", description: "All changes of a znode" },
    { command: "zk log stats /var/lib/zookeeper", description: "Who writes most, and where" }
  ]),
  Command.withSubcommands([
    Command.make(
      "dump",
      { file: logFile, ...moments },
      handle(async () => (await import("../files/log.ts")).dump)
    ).pipe(
      Command.withDescription("Print every transaction"),
      Command.withExamples([
        { command: "zk log dump /var/lib/zookeeper --from 2026-01-31T12:00:00Z", description: "Since a time" },
        { command: "zk log dump version-2/log.100000001 --ndjson | jq -r .type", description: "One file, for a script" }
      ])
    ),
    Command.make(
      "grep",
      {
        path: znode("The znode; a pattern as in '/app/*' is possible"),
        file: logFile,
        ...moments,
        recursive: toggle("recursive", "And everything below it", "r"),
        session: optionalText("session", "session", "Only the transactions of this session"),
        type: Flag.Literals("type", transactionTypes).pipe(
          Flag.withDescription("Only this type, also within a multi; delete has the ends of sessions, too"),
          Flag.optional,
          Flag.map(Option.getOrUndefined)
        )
      },
      handle(async () => (await import("../files/log.ts")).grep)
    ).pipe(
      Command.withDescription("Print the transactions that changed a znode"),
      Command.withExamples([
        {
          command: "zk log grep /app/config /var/lib/zookeeper --type delete",
          description: "Which session deleted it, and when"
        }
      ])
    ),
    Command.make(
      "stats",
      { file: logFile, ...moments },
      handle(async () => (await import("../files/log.ts")).stats)
    ).pipe(
      Command.withDescription("Count transactions by type, session and path"),
      Command.withExamples([
        { command: "zk log stats /var/lib/zookeeper", description: "Who writes most, and where" },
        { command: "zk log stats /var/lib/zookeeper --from 0x200000000", description: "Since a zxid" }
      ])
    ),
    Command.make(
      "at",
      {
        file: file("directory", "A data directory"),
        logs,
        moment: Argument.String("moment").pipe(
          Argument.withMetavar("moment"),
          Argument.withDescription("A zxid as in 0x1f, or a time as in 2026-01-31T12:00:00Z")
        )
      },
      handle(async () => (await import("../files/log.ts")).at)
    ).pipe(
      Command.withDescription("Which transaction was the last one by a moment, and how large the tree was"),
      Command.withExamples([
        {
          command: "zk log at /var/lib/zookeeper 2026-01-31T12:00:00Z",
          description: "The zxid of a time, for --at of zk snapshot"
        }
      ])
    )
  ])
)

export const backups = [backup, restore, copy, diff, mirror] as const
export const files = [snapshot, log] as const
