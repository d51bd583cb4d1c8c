/** The commands that guard another command, with their flags. Their code is loaded when they run. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalText, toggle, znode } from "./params.ts"

const command = Argument.String("command").pipe(
  Argument.withMetavar("command"),
  Argument.withDescription("The command and its arguments, after --"),
  Argument.variadic({ min: 1 })
)

const wait = optionalText("wait", "duration", "How long to wait for it; 0 tries once (default: as long as it takes)")

const sessionTimeout = Flag.String("session-timeout").pipe(
  Flag.withMetavar("duration"),
  Flag.withDescription(
    "When others get it from a machine that has gone; a fifth of it is for the end of the command (default: 15s)"
  ),
  Flag.withDefault("15s")
)

const promise =
  "All its processes have ended before anyone else can hold it. A\n" +
  "  process is not found that has left the process group of the command and whose parent has ended, as a daemon does"

/** The end of a description: the environment of the command, and the exit codes. */
const surroundings = (conflict: string, timeIsOver: string): string =>
  "\n\n  The environment of the command has ZK_FENCING_TOKEN, a number that grows with each holder, and ZK_HELD_PATH, the\n" +
  "  znode behind the hold. SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH are passed on to it.\n\n" +
  "  The exit code is that of the command, or 128 and the number of the signal that ended it. zk itself ends with\n" +
  `    4    ${conflict}\n` +
  "    7    the hold was lost, and the command was ended\n" +
  `    124  ${timeIsOver}\n` +
  "    126  the command cannot be run\n" +
  "    127  there is no such command\n" +
  "    1, 2, 3, 5, 6 and 130 as other commands of zk: failed, a mistake on the command line, no such chroot, no server\n" +
  "         answered, not permitted, interrupted\n" +
  "  A command that ends with one of these by itself cannot be told from zk"

const unseen = "nothing was run: others contend there that do not see those of this layout, or of this recipe"
const notAcquired = "not acquired within --wait, or --timeout is over"

const lock = Command.make(
  "lock",
  {
    path: znode("The path of the lock"),
    command,
    layout: Flag.Literals("layout", ["curator", "go", "kazoo", "aiozk"]).pipe(
      Flag.withDescription(
        "The names of the others who share the lock: curator for Curator and this library, go for go-zookeeper, kazoo, " +
          "or aiozk (default: curator)"
      ),
      Flag.withDefault("curator")
    ),
    wait,
    sessionTimeout
  },
  handle(async () => (await import("../guard/guards.ts")).lock, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Run a command while a lock is held"),
  Command.withDescription(`Run a command while a lock is held. ${promise}${surroundings(unseen, notAcquired)}`),
  Command.withExamples([
    { command: "zk lock /locks/backup -- pg_dump -f db.sql", description: "One backup at a time" },
    { command: "zk lock /locks/job --wait 0 -- ./job.sh", description: "Not at all while it runs elsewhere" },
    {
      command: "zk lock /locks/etl --layout kazoo -- ./etl.sh",
      description: "A lock that Python programs take with kazoo"
    }
  ])
)

const semaphore = Command.make(
  "semaphore",
  {
    path: znode("The path of the semaphore"),
    command,
    permits: Flag.Int("permits").pipe(
      Flag.withAlias("n"),
      Flag.withMetavar("number"),
      Flag.withDescription("How many commands may run at a time; the same number everywhere")
    ),
    wait,
    sessionTimeout
  },
  handle(async () => (await import("../guard/guards.ts")).semaphore, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Run a command while one of a number of permits is held"),
  Command.withDescription(
    `Run a command while one of a number of permits is held. ${promise}.
  The znodes are those of Curator's InterProcessSemaphoreV2; kazoo's Semaphore has others, and cannot share them${surroundings(
    "nothing was run: kazoo holds permits there, or others contend for another recipe",
    notAcquired
  )}`
  ),
  Command.withExamples([
    { command: "zk semaphore /limits/exports -n 3 -- ./export.sh", description: "At most three at a time" }
  ])
)

const elect = Command.make(
  "elect",
  {
    path: znode("The path of the election"),
    command,
    layout: Flag.Literals("layout", ["latch", "selector", "kazoo", "aiozk"]).pipe(
      Flag.withDescription(
        "The names of the other candidates: latch for Curator's LeaderLatch and this library, selector for Curator's " +
          "LeaderSelector, kazoo, or aiozk (default: latch)"
      ),
      Flag.withDefault("latch")
    ),
    sessionTimeout
  },
  handle(async () => (await import("../guard/guards.ts")).elect, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Run a command on one machine of many, and on another when that one fails"),
  Command.withDescription(
    `Run a command on one machine of many, and on another when that one fails. ${promise}.
  After a loss it is a candidate again, and says so${surroundings(unseen, "not done within --timeout")}`
  ),
  Command.withExamples([
    { command: "zk elect /scheduler -- ./scheduler", description: "A candidate again after a loss, until it ends" }
  ])
)

const once = Command.make(
  "once",
  {
    path: znode("The znode of the job: it tells of the last 20 runs"),
    command,
    period: optionalText("period", "duration", "How often cron begins it: a run of the last half period counts"),
    stamp: optionalText("stamp", "text", "The name of this run, such as a date: a run of the same name counts"),
    retry: toggle("retry", "A run counts only if it ended with 0; machines wait while another runs"),
    wait: optionalText("wait", "duration", "With --retry: how long to wait while another runs"),
    sessionTimeout
  },
  handle(async () => (await import("../guard/once.ts")).once, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Run a command on one of the machines that begin it, as those of a cron job do"),
  Command.withDescription(
    `Run a command on one of the machines that begin it. Where a run counts already, nothing is run, and the exit code is 0.
  Without --period and --stamp, it is run once for ever${surroundings("the znode has data that is not of a job", notAcquired)}`
  ),
  Command.withExamples([
    {
      command: "zk once /cron/report --period 1h -- ./report.sh",
      description: "The same line in cron on all machines"
    },
    {
      command: 'zk once /cron/backup --stamp "$(date +%F)" --retry -- ./backup.sh',
      description: "Once a day, and on another machine where it fails"
    },
    { command: "zk once /migrations/042 -- ./migrate.sh", description: "Once for ever" }
  ])
)

export const guards = [lock, semaphore, elect, once] as const
