/** The commands that change the tree, with their flags. Their code is loaded when they run. */
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { reconfig } from "./adminCommands.ts"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle, znode, znodeOrRoot } from "./params.ts"

const data = Argument.String("data").pipe(
  Argument.withMetavar("text"),
  Argument.withDescription("The data, as UTF-8"),
  Argument.optional,
  Argument.map(Option.getOrUndefined)
)

const file = optionalText("file", "file", "Read the data from a file; - is the standard input")

const version = optionalNumber("version", "number", "Only if the znode has this version")

const force = toggle("force", "Replace a target that exists and has no children")

const create = Command.make(
  "create",
  {
    path: znode("The znode to create", "path", { isPrefix: true }),
    data,
    file,
    sequential: toggle("sequential", "Append a number that no other znode of the parent has"),
    ephemeral: toggle("ephemeral", "Only at the prompt of `zk shell`: it is deleted when the prompt ends", "e"),
    container: toggle("container", "A container, which servers delete when its last child has gone"),
    ttl: optionalText(
      "ttl",
      "duration",
      "Servers delete it when it has not been written for this time, as in 5m; they need extendedTypesEnabled=true"
    ),
    parents: toggle("parents", "Create missing parents, as containers"),
    acl: Flag.String("acl").pipe(
      Flag.withMetavar("scheme:id:perms"),
      Flag.withDescription(
        "An entry of the ACL, as in world:anyone:r; or open, read-only or creator; may be repeated (default: open)"
      ),
      Flag.atLeast(0)
    )
  },
  handle(async () => (await import("../change/create.ts")).create)
).pipe(
  Command.withDescription("Create a znode, and print its path"),
  Command.withExamples([
    { command: "zk create /app/config --file config.json --parents", description: "From a file" },
    { command: "zk create /jobs/job- payload --sequential", description: "The path that is printed has the number" },
    {
      command: "zk create /app/secret --file s --acl auth::cdrwa --acl world:anyone:r --auth-file me.auth",
      description: "Others may only read; `zk acl set --help` explains ACLs"
    }
  ])
)

const set = Command.make(
  "set",
  {
    path: znode("The znode to write"),
    data,
    file,
    version,
    create: toggle("create", "Create it, and its parents, where it is missing")
  },
  handle(async () => (await import("../change/set.ts")).set)
).pipe(
  Command.withDescription("Write the data of a znode"),
  Command.withExamples([
    { command: "zk set /app/flag on", description: "From an argument" },
    {
      command: "jq .x=1 config.json | zk set /app/config --file - --version 7",
      description: "Only if no other client has written since version 7"
    }
  ])
)

const edit = Command.make(
  "edit",
  { path: znode("The znode to edit") },
  handle(async () => (await import("../change/edit.ts")).edit, { limited: "ifAsked" })
).pipe(
  Command.withDescription("Edit the data of a znode in $VISUAL or $EDITOR"),
  Command.withExamples([
    { command: "zk edit /app/config", description: "After a conflict, both versions are kept in files" }
  ])
)

const rm = Command.make(
  "rm",
  {
    path: znode("The znode to delete"),
    recursive: toggle("recursive", "Everything below it too; says how many znodes, and asks", "r"),
    version,
    yes: toggle("yes", "Do not ask", "y")
  },
  handle(async () => (await import("../change/rm.ts")).rm)
).pipe(
  Command.withShortDescription("Delete a znode"),
  Command.withDescription(
    "Delete a znode. An ephemeral one is of another session, which is named first; on a terminal it asks then. A holder of a\n" +
      "  lock whose znode is deleted may go on in the belief that it holds it"
  ),
  Command.withExamples([
    { command: "zk rm /app/old", description: "A znode without children" },
    { command: "zk rm -r /app --yes", description: "A subtree, in a script" }
  ])
)

const mv = Command.make(
  "mv",
  { source: znode("The znode to move, with its subtree", "source"), target: znode("Its new path", "target"), force },
  handle(async () => (await import("../change/transfer.ts")).mv)
).pipe(
  Command.withDescription("Move a subtree, wholly or not at all; containers and znodes with a TTL become persistent"),
  Command.withExamples([{ command: "zk mv /app/old /app/new", description: "One transaction, with data and ACLs" }])
)

const cp = Command.make(
  "cp",
  {
    source: znode("The znode to copy", "source"),
    target: znode("The path of the copy", "target"),
    recursive: toggle("recursive", "Everything below it too", "r"),
    force
  },
  handle(async () => (await import("../change/transfer.ts")).cp)
).pipe(
  Command.withDescription(
    "Copy a znode or a subtree, wholly or not at all; containers and znodes with a TTL become persistent"
  ),
  Command.withExamples([
    { command: "zk cp -r /app /app-backup", description: "Ephemeral znodes are left out" },
    { command: "zk copy @prod/app @test/app", description: "Another command, for other servers and large trees" },
    { command: "zk create /app/config --file config.json", description: "From a file; `zk get` writes into one" }
  ])
)

const touch = Command.make(
  "touch",
  { path: znode("The znode") },
  handle(async () => (await import("../change/touch.ts")).touch)
).pipe(
  Command.withDescription("Write the data of a znode again, or create it empty"),
  Command.withExamples([
    { command: "zk touch /app/reload", description: "Its version and time change, its data stays" }
  ])
)

const sync = Command.make(
  "sync",
  { path: znodeOrRoot("A znode of the tree") },
  handle(async () => (await import("../change/sync.ts")).sync)
).pipe(
  Command.withDescription("Wait until the server has all that was committed before"),
  Command.withExamples([{ command: "zk sync", description: "Through the leader, so that it shows that there is one" }])
)

const multi = Command.make(
  "multi",
  {
    file: Argument.String("file").pipe(
      Argument.withMetavar("file"),
      Argument.withDescription("One operation on each line, as JSON; - is the standard input")
    )
  },
  handle(async () => (await import("../change/multi.ts")).multi)
).pipe(
  Command.withShortDescription("Apply all operations of a file as one transaction, or none"),
  Command.withDescription(
    "Apply all operations of a file as one transaction, or none. Each line is one operation:\n\n" +
      '  {"op":"create","path":PATH}   and data, encoding, base64, mode, acl\n' +
      '  {"op":"set","path":PATH}      and data, encoding, base64, version\n' +
      '  {"op":"delete","path":PATH}   and version\n' +
      '  {"op":"check","path":PATH}    and version\n\n' +
      '  data is text, or with "encoding":"base64" any bytes, as zk get --json prints them; base64 is the same in one\n' +
      "  field. mode is persistent, persistentSequential or container. acl is an array, as\n" +
      '  ["world:anyone:r"]. version is a number, and any version where it is left out.'
  ),
  Command.withExamples([
    {
      command: `echo '{"op":"set","path":"/a","data":"1","version":3}' | zk multi -`,
      description: "Only if /a has version 3"
    },
    { command: "zk multi operations.ndjson", description: "From a file; empty lines and lines with # are left out" }
  ])
)

export const change = [create, set, edit, rm, mv, cp, touch, sync, multi, reconfig] as const
