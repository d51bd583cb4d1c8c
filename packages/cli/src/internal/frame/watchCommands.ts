/** The commands that run until they are stopped and print what happens, with their flags. Their code is loaded when they run. */
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalNumber, toggle, znode } from "./params.ts"

const watch = Command.make(
  "watch",
  {
    path: znode("The znode to watch; it need not exist"),
    recursive: toggle("recursive", "Everything below it too", "R"),
    show: Flag.Literals("show", ["value", "diff", "none"]).pipe(
      Flag.withDescription(
        "What to show of new data: its lines, 40 at most (default), the lines that differ, or nothing"
      ),
      Flag.withDefault("value")
    ),
    count: optionalNumber("count", "number", "End after so many events", "n"),
    until: Flag.Literals("until", ["exists", "gone"]).pipe(
      Flag.withDescription("End as soon as the znode exists, or does not exist; at once where that is so already"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    )
  },
  handle(async () => (await import("../watch/watch.ts")).watch, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Print the events of a znode as they come"),
  Command.withDescription(
    "Print the events of a znode as they come, until Ctrl-C. After an outage it says that events may be missing, and\n" +
      "  prints the present state"
  ),
  Command.withExamples([
    { command: "zk watch /app/config --show diff", description: "The lines that each write has changed" },
    { command: "zk watch -R /app --ndjson", description: "A whole subtree, for a script" },
    {
      command: "zk watch /app/ready --until exists --timeout 5m",
      description: "Wait for a znode; 124 if it does not come"
    }
  ])
)

const tail = Command.make(
  "tail",
  {
    path: znode("The parent of the children"),
    lines: optionalNumber(
      "lines",
      "number",
      "How many of the children that are there to print first (default: 10)",
      "n"
    ),
    count: optionalNumber("count", "number", "End after so many children have come")
  },
  handle(async () => (await import("../watch/tail.ts")).tail, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Print the newest children of a queue or log, and then each that comes"),
  Command.withDescription(
    "Print the newest children of a queue or log with their data, and then each that comes, until Ctrl-C"
  ),
  Command.withExamples([
    { command: "zk tail /queue", description: "The last ten items, and new ones as they come" },
    { command: "zk tail /log -n 0 --ndjson | jq -r .data", description: "The data of new entries alone" }
  ])
)

export const watching = [watch, tail] as const
