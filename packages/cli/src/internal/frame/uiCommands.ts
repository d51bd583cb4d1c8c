/** The commands for pages and assistants, with their flags. Their code is loaded when they run. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle } from "./params.ts"

const ui = Command.make(
  "ui",
  {
    profiles: Argument.String("profile").pipe(
      Argument.withMetavar("profile"),
      Argument.withDescription("Show the ensembles of these profiles instead of the one of this run"),
      Argument.variadic({ min: 0 })
    ),
    all: toggle("all", "Show the ensembles of all profiles"),
    port: optionalNumber("port", "number", "The port on 127.0.0.1; 0 is any free one (default: 4180)").pipe(
      Flag.map((port) => port ?? 4180)
    ),
    write: toggle("write", "Let the page change what the credentials and the profiles allow"),
    page: optionalText("page", "folder", "Serve the page that was built into this folder")
  },
  handle(async () => (await import("../ui/ui.ts")).ui, { limited: "never" })
).pipe(
  Command.withDescription(
    "A web page of the tree, the members, the sessions and the recipes, for a browser on this machine. It changes nothing " +
      "without --write. It prints a link with a secret, and answers no request without it"
  ),
  Command.withExamples([
    { command: "zk ui --servers zk1:2181", description: "Look, and change nothing" },
    { command: "zk ui prod staging --write", description: "Two ensembles, by their profiles" }
  ])
)

const mcp = Command.make(
  "mcp",
  { write: toggle("write", "Offer tools that change znodes, by version and after the person has agreed") },
  handle(async () => (await import("../mcp/mcp.ts")).mcp, { limited: "never" })
).pipe(
  Command.withDescription(
    "Tools for assistants, by the Model Context Protocol over the standard input and output: zk_list, zk_get, zk_stat, zk_tree, " +
      "zk_find, zk_diff, zk_ensemble and zk_locks. What znodes hold is marked as untrusted"
  ),
  Command.withExamples([
    { command: "zk mcp --profile prod", description: "As the command of a server in the settings of an assistant" }
  ])
)

export const pages = [ui, mcp] as const
