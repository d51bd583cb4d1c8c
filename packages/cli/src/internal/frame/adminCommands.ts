/** The commands that change ACLs, quotas and the members of the ensemble, with their flags. Their code is loaded when they run. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle, znode } from "./params.ts"

const yes = toggle("yes", "Do not ask", "y")

const several = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.atLeast(0))

export const aclSet = Command.make(
  "set",
  {
    path: znode("The znode"),
    entries: Argument.String("acl").pipe(
      Argument.withMetavar("scheme:id:perms"),
      Argument.withDescription("The entries, also with commas between them; or open, read-only or creator"),
      Argument.variadic({ min: 0 })
    ),
    file: optionalText(
      "file",
      "file",
      "Read the entries from a file, as `zk acl` prints them; - is the standard input"
    ),
    recursive: toggle("recursive", "Everything below it too; says how many znodes, and asks", "R"),
    version: optionalNumber("version", "number", "Only if the ACL has this version, the aversion of the stat"),
    yes
  },
  handle(async () => (await import("../change/aclSet.ts")).aclSet)
).pipe(
  Command.withShortDescription("Replace the ACL of a znode or a subtree"),
  Command.withDescription(
    "Replace the ACL of a znode. It warns of what is open to the world, and asks before it takes the right to change the\n" +
      "  ACL from you.\n\n" +
      "  An entry is scheme:id:permissions. Permissions are letters: c create children, d delete children, r read,\n" +
      "  w write, a administer the ACL. Entries are auth::cdrwa for your own identities, those of --auth-file; world:anyone:r for\n" +
      "  everybody; ip:10.0.0.0/8:r for addresses; digest:user:hash:r for another user, whose hash is the base64 of the\n" +
      "  SHA-1 of user:password.\n\n" +
      "  Instead of entries: open is world:anyone:cdrwa, read-only is world:anyone:r, creator is auth::cdrwa."
  ),
  Command.withExamples([
    {
      command: "zk acl set /app auth::cdrwa world:anyone:r --auth-file me.auth",
      description: "Yours, and others read"
    },
    { command: "zk acl /a | zk acl set /b --file -", description: "The ACL of another znode" },
    { command: "zk acl set -R /app ip:10.0.0.0/8:cdrwa", description: "A whole subtree" }
  ])
)

const limits = "Servers log a warning above it"
const hardLimits = "Servers that run with enforceQuota=true refuse writes above it (ZooKeeper 3.7)"

export const quotaSet = Command.make(
  "set",
  {
    path: znode("The root of the subtree"),
    count: optionalNumber("count", "number", `The most znodes, with the root. ${limits}`),
    bytes: optionalText("bytes", "size", `The most bytes of data, as in 100, 4k or 1m. ${limits}`),
    hardCount: optionalNumber("hard-count", "number", `The most znodes. ${hardLimits}`),
    hardBytes: optionalText("hard-bytes", "size", `The most bytes of data. ${hardLimits}`)
  },
  handle(async () => (await import("../change/quotaSet.ts")).quotaSet)
).pipe(
  Command.withDescription("Set limits of a subtree; those that are not named stay as they are"),
  Command.withExamples([
    { command: "zk quota set /app --count 10000 --bytes 100m", description: "A warning in the logs of the servers" }
  ])
)

export const quotaRm = Command.make(
  "rm",
  {
    path: znode("The root of the subtree"),
    count: toggle("count", "Only this limit"),
    bytes: toggle("bytes", "Only this limit"),
    hardCount: toggle("hard-count", "Only this limit"),
    hardBytes: toggle("hard-bytes", "Only this limit")
  },
  handle(async () => (await import("../change/quotaSet.ts")).quotaRm)
).pipe(
  Command.withDescription("Remove the quota of a subtree, or some of its limits"),
  Command.withExamples([{ command: "zk quota rm /app", description: "All of it" }])
)

export const reconfig = Command.make(
  "reconfig",
  {
    add: several("add", "member", "A member to add or to change, as in server.4=host:2888:3888:participant;2181"),
    remove: several("remove", "number", "The number of a member to remove"),
    members: several("members", "member", "All members, in place of those that there are"),
    file: optionalText("file", "file", "Read all members from a file, as `zk config --raw` prints it"),
    fromVersion: optionalText(
      "from-version",
      "version",
      "Only if the configuration has this version (default: that of the file, or that which is read first)"
    ),
    yes
  },
  handle(async () => (await import("../change/reconfig.ts")).reconfig)
).pipe(
  Command.withShortDescription("Change the members of the ensemble, after a question"),
  Command.withDescription(
    "Change the members of the ensemble, after a question. It needs reconfigEnabled=true on the servers, and WRITE on\n" +
      "  /zookeeper/config, which only the super user has by default"
  ),
  Command.withExamples([
    { command: "zk reconfig --add 'server.4=zk4:2888:3888;2181' --auth-file super.auth", description: "One more" },
    { command: "zk reconfig --remove 4 --yes --auth-file super.auth", description: "One less, in a script" }
  ])
)
