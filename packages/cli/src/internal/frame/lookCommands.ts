/** The commands that look at the tree, with their flags. Their code is loaded when they run. */
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { formats } from "../../ZnodeData.ts"
import { aclSet, quotaRm, quotaSet } from "./adminCommands.ts"
import { handle } from "./handle.ts"
import { conditions, optionalNumber, optionalText, toggle, znode, znodeOrRoot } from "./params.ts"

const ls = Command.make(
  "ls",
  {
    path: znodeOrRoot("The znode whose children are listed"),
    long: toggle("long", "Kind, version, children, bytes and time of the last write of each", "l"),
    recursive: toggle("recursive", "The whole subtree, with its root", "R")
  },
  handle(async () => (await import("../look/ls.ts")).ls)
).pipe(
  Command.withDescription("List the children of a znode"),
  Command.withExamples([
    { command: "zk ls /", description: "The names at the top" },
    { command: "zk ls -l /brokers", description: "With the stat of each" },
    { command: "zk ls -R /app --ndjson | jq -r .path", description: "All paths of a subtree, for a script" }
  ])
)

const tree = Command.make(
  "tree",
  {
    path: znodeOrRoot("The root of the subtree"),
    depth: optionalNumber("depth", "levels", "How many levels to show (default: all)", "L"),
    sizes: toggle("sizes", "The bytes of each znode")
  },
  handle(async () => (await import("../look/tree.ts")).tree)
).pipe(
  Command.withDescription("Draw a subtree"),
  Command.withExamples([
    { command: "zk tree /app", description: "Everything below /app" },
    { command: "zk tree / -L 2 --sizes", description: "Two levels, with the bytes of each znode" }
  ])
)

const get = Command.make(
  "get",
  {
    path: znode("The znode to read"),
    as: Flag.Literals("as", formats).pipe(
      Flag.withDescription("How to show the data (default: auto on a terminal; raw, the bytes as they are, elsewhere)"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    gunzip: toggle("gunzip", "Uncompress data that is gzip, whatever the form")
  },
  handle(async () => (await import("../look/get.ts")).get)
).pipe(
  Command.withDescription("Print the data of a znode"),
  Command.withExamples([
    { command: "zk get /app/config", description: "The data; bytes that are not text are shown in hex" },
    { command: "zk get /app/config --as json", description: "JSON, indented" },
    { command: "zk get /app/image > image.png", description: "The bytes as they are" }
  ])
)

const stat = Command.make(
  "stat",
  { path: znode("The znode to look at") },
  handle(async () => (await import("../look/stat.ts")).stat)
).pipe(
  Command.withDescription("Print the stat of a znode"),
  Command.withExamples([{ command: "zk stat /app --json | jq .stat.version", description: "One field, for a script" }])
)

const find = Command.make(
  "find",
  {
    path: znodeOrRoot("The root of the subtree"),
    ...conditions
  },
  handle(async () => (await import("../look/find.ts")).find)
).pipe(
  Command.withDescription("Find the znodes of a subtree that meet all conditions"),
  Command.withExamples([
    { command: "zk find /locks --kind ephemeral --older 1h", description: "Locks that are held for long" },
    { command: "zk find / --larger 512k -l", description: "Large znodes" },
    { command: "zk find / --open", description: "Znodes that everybody may change" },
    { command: "zk find /app --contains db1.example.com", description: "Znodes that mention a host" }
  ])
)

const du = Command.make(
  "du",
  {
    path: znodeOrRoot("The root of the subtree"),
    depth: optionalNumber("depth", "levels", "Down to which level to print subtrees (default: 1)", "L").pipe(
      Flag.map((depth) => depth ?? 1)
    )
  },
  handle(async () => (await import("../look/du.ts")).du)
).pipe(
  Command.withDescription("Count the znodes and the bytes of subtrees"),
  Command.withExamples([
    { command: "zk du /", description: "What each znode at the top has below it" },
    { command: "zk du /app -L 0", description: "One total" }
  ])
)

const acl = Command.make(
  "acl",
  { path: znode("The znode to look at") },
  handle(async () => (await import("../look/acl.ts")).acl)
).pipe(
  Command.withDescription("Print the ACL of a znode, one scheme:id:permissions on a line; or set it"),
  Command.withExamples([
    { command: "zk acl /app", description: "Permissions are letters: create, delete, read, write, admin" },
    { command: "zk acl set /app world:anyone:r", description: "Another one; `zk acl set --help` explains the entries" }
  ]),
  Command.withSubcommands([aclSet])
)

const whoami = Command.make(
  "whoami",
  {},
  handle(async () => (await import("../look/whoami.ts")).whoami)
).pipe(
  Command.withDescription("Print the identities that the servers see"),
  Command.withExamples([
    { command: "zk whoami --auth-file me.auth", description: "What the credentials of a file give" }
  ])
)

const ephemerals = Command.make(
  "ephemerals",
  {
    path: znodeOrRoot("The root of the subtree"),
    owner: optionalText("owner", "session", "Only those of this session, as in 0x100000002")
  },
  handle(async () => (await import("../look/ephemerals.ts")).ephemerals)
).pipe(
  Command.withDescription("List the ephemeral znodes of a subtree, and the sessions that own them"),
  Command.withExamples([{ command: "zk ephemerals /brokers", description: "Which sessions are registered there" }])
)

const sessions = Command.make(
  "sessions",
  { session: optionalText("session", "session", "Only this session, as in 0x100000002") },
  handle(async () => (await import("../look/sessions.ts")).sessions)
).pipe(
  Command.withShortDescription("List the sessions and their clients, as the servers tell them"),
  Command.withDescription(
    "List the sessions with their connections, as the servers of --servers tell them. It needs\n" +
      "  4lw.commands.whitelist=cons,dump on them. `zk doctor` names a session that has very many watches.\n\n" +
      "  HEARD is how long ago, at least, its server last answered it, pings too; `late` is more than half of its timeout, so\n" +
      "  that the client hangs or is cut off. It has no value for the session that a server has heard last.\n\n" +
      "  Exit codes: 1 where some servers have not answered, 5 where none has"
  ),
  Command.withExamples([
    { command: "zk sessions -s zk1:2181,zk2:2181,zk3:2181", description: "Of all members" },
    { command: "zk sessions --session 0x100000002", description: "Which client holds a lock that `zk locks` shows" }
  ])
)

const config = Command.make(
  "config",
  { raw: toggle("raw", "The text as the servers keep it") },
  handle(async () => (await import("../look/config.ts")).config)
).pipe(
  Command.withDescription("Print the members of the ensemble"),
  Command.withExamples([{ command: "zk config", description: "Ids, roles and addresses" }])
)

const quota = Command.make(
  "quota",
  { path: znode("The root of the subtree") },
  handle(async () => (await import("../look/quota.ts")).quota)
).pipe(
  Command.withDescription("Print the quota of a subtree, and its use; or set it"),
  Command.withExamples([
    { command: "zk quota /app", description: "Limits, hard limits and use" },
    { command: "zk tree /zookeeper/quota", description: "Where there are quotas" }
  ]),
  Command.withSubcommands([quotaSet, quotaRm])
)

export const look = [ls, tree, get, stat, find, du, acl, quota, whoami, ephemerals, sessions, config] as const
