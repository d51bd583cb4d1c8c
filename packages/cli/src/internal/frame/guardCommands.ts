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

const lock = Command.make(
  "lock",
  { path: znode("The path of the lock"), command, wait, sessionTimeout },
  handle(async () => (await import("../guard/guards.ts")).lock, { limited: "ifAsked" })
).pipe(
  Command.withShortDescription("Run a command while a lock is held"),
  Command.withDescription(
    "Run a command while a lock is held. All its processes have ended before anyone else can hold the lock"
  ),
  Command.withExamples([
    { command: "zk lock /locks/backup -- pg_dump -f db.sql", description: "One backup at a time" },
    { command: "zk lock /locks/job --wait 0 -- ./job.sh", description: "Not at all while it runs elsewhere" }
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
  Command.withDescription("Run a command while one of a number of permits is held"),
  Command.withExamples([
    { command: "zk semaphore /limits/exports -n 3 -- ./export.sh", description: "At most three at a time" }
  ])
)

const elect = Command.make(
  "elect",
  { path: znode("The path of the election"), command, sessionTimeout },
  handle(async () => (await import("../guard/guards.ts")).elect, { limited: "ifAsked" })
).pipe(
  Command.withDescription("Run a command on one machine of many, and on another when that one fails"),
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
    "Run a command on one of the machines that begin it. Where a run counts already, nothing is run, and the exit code is 0. " +
      "Without --period and --stamp, it is run once for ever"
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
