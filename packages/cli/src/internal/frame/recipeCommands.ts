/** The commands that show what recipes keep in znodes, with their flags. Their code is loaded when they run. */
import * as Command from "effect/cli/Command"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle, znodeOrCurrent, znodeOrRoot } from "./params.ts"

const locks = Command.make(
  "locks",
  {
    path: znodeOrRoot("A lock, or the root of a subtree with locks"),
    older: optionalText("older", "duration", "Only those with a contender that came longer ago than this, as in 10m"),
    waiting: toggle("waiting", "Only those for which somebody waits"),
    clients: toggle("clients", "The addresses of their clients too, where the servers answer cons")
  },
  handle(async () => (await import("../recipes/locks.ts")).locks)
).pipe(
  Command.withShortDescription("Show the holders and waiters of locks, elections and semaphores, and when they came"),
  Command.withDescription(
    "Show the holders and waiters of the locks, elections and semaphores of a subtree, and when they came. A holder came to\n" +
      "  wait for its turn: servers do not tell since when it holds. It knows the layouts of this library, Curator, kazoo,\n" +
      "  go-zookeeper and aiozk.\n\n" +
      "  Where a holder hangs, find its client by --clients or `zk sessions --session SESSION`, and stop it: the lock is free\n" +
      "  after its session timeout. `zk rm PATH` of its contender (the paths are in --json) frees the lock at once, at the risk\n" +
      "  that the holder goes on in the belief that it still holds it"
  ),
  Command.withExamples([
    { command: "zk locks /locks/backup", description: "One lock" },
    { command: "zk locks /locks/backup --clients", description: "And where its holder runs" },
    { command: "zk locks / --waiting --older 10m", description: "Where somebody has been in the queue for long" }
  ])
)

const queue = Command.make(
  "queue",
  {
    path: znodeOrCurrent("The queue"),
    items: optionalNumber("items", "number", "How many items to show (default: 10)", "n"),
    taken: optionalText("taken", "znode", "The znode with the locks of items, where it is not beside the queue")
  },
  handle(async () => (await import("../recipes/queue.ts")).queue)
).pipe(
  Command.withShortDescription("Show the items of a queue, and which of them are being worked on"),
  Command.withDescription(
    "Show the items of a queue, which of them are being worked on, and since when. It knows the layouts of this library,\n" +
      "  Curator and kazoo"
  ),
  Command.withExamples([
    { command: "zk queue /queues/mail", description: "How many, and the first ten" },
    { command: "zk queue /queues/mail -n 0 --json | jq .items", description: "The number, for a script" }
  ])
)

export const recipes = [locks, queue] as const
