/** The commands around the others, with their flags. Their code is loaded when they run. */
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { handle } from "./handle.ts"
import { optionalNumber, optionalText, toggle, znode, znodeOrRoot } from "./params.ts"

/** `root` gives the command that has all others. */
export const makeAround = (root: () => Command.Command.Any) => {
  const completions = Command.make(
    "completions",
    {
      shell: Argument.Literals("shell", ["bash", "zsh", "fish", "powershell"]).pipe(
        Argument.withDescription("The shell")
      )
    },
    handle(async () => (await import("../around/completions.ts")).completionsOf(root()))
  ).pipe(
    Command.withDescription("Print a script that completes commands, flags, profiles, and the paths of znodes"),
    Command.withExamples([
      { command: "source <(zk completions bash)", description: "In ~/.bashrc; zsh has the same in ~/.zshrc" },
      { command: "zk completions fish > ~/.config/fish/completions/zk.fish", description: "For fish" },
      {
        command: "zk completions powershell | Out-String | Invoke-Expression",
        description: "In the profile of PowerShell"
      }
    ])
  )

  const completeZnodes = Command.make(
    "complete-znodes",
    { prefix: Argument.String("prefix") },
    handle(async () => (await import("../around/completeZnodes.ts")).completeZnodes)
  ).pipe(Command.withDescription("Print the paths that a path may be completed to"), Command.unlisted)

  const completeProfiles = Command.make("complete-profiles", { prefix: Argument.String("prefix") }, () =>
    // Without the settings of a run, which a profile that is not yet typed, or is wrong, would keep from being found.
    Effect.flatMap(
      Effect.promise(() => import("../around/completeProfiles.ts")),
      (loaded) => loaded.completeProfiles
    )
  ).pipe(Command.withDescription("Print the names of the profiles"), Command.unlisted)

  const shell = Command.make(
    "shell",
    { path: znodeOrRoot("The znode to begin at") },
    handle(async () => (await import("../around/shell.ts")).shellOf(root()), { limited: "partly" })
  ).pipe(
    Command.withShortDescription("A prompt for all commands over one session"),
    Command.withDescription(
      "A prompt for all commands over one session, with `cd`, relative paths, history and completion. Lines of a script " +
        "come from the standard input; it ends at the first that fails.\n\n" +
        '  Words are kept as they are typed, as in {"a":1} and C:\\temp. One that begins with a quote goes to the next quote,\n' +
        '  and may have spaces; between double quotes, \\" and \\\\ are " and \\. A backslash before a space keeps a word together'
    ),
    Command.withExamples([
      {
        command: "zk shell",
        description: "cd, pwd, help and exit are there beside the commands; Ctrl-C ends a command"
      },
      { command: "zk shell < script", description: "One command on a line" }
    ])
  )

  const env = Command.make(
    "env",
    {
      path: znode("The root of the subtree"),
      command: Argument.String("command").pipe(
        Argument.withMetavar("command"),
        Argument.withDescription("The command and its arguments, after --; without one, the variables are printed"),
        Argument.variadic({ min: 0 })
      ),
      prefix: text("prefix", "text", "What each name of a variable begins with, as in APP_", ""),
      ...following
    },
    handle(async () => (await import("../around/env.ts")).env, { limited: "partly" })
  ).pipe(
    Command.withShortDescription("Run a command with the environment that a subtree gives, and again at each change"),
    Command.withDescription(
      "Run a command with the environment that a subtree gives, and again when the subtree has changed. " +
        "/config/mail/smtp/maxSize is SMTP_MAX_SIZE for /config/mail"
    ),
    Command.withExamples([
      { command: "zk env /config/mail -- ./server", description: "Started again at each change" },
      { command: "zk env /config/mail --signal HUP -- ./server", description: "Told at each change" },
      { command: "zk env /config/mail", description: "The variables, as a shell reads them" }
    ])
  )

  const template = Command.make(
    "template",
    {
      path: znode("The root of the subtree: {{ smtp.host }} is the data of smtp/host below it"),
      template: Argument.String("template").pipe(
        Argument.withMetavar("file"),
        Argument.withDescription("The template, in Liquid")
      ),
      command: Argument.String("command").pipe(
        Argument.withMetavar("command"),
        Argument.withDescription("The command that reads the file, and its arguments, after --"),
        Argument.variadic({ min: 0 })
      ),
      output: optionalText("output", "file", "The file to write; without it, the text is printed").pipe(
        Flag.withAlias("o")
      ),
      mode: optionalText("mode", "octal", "Its permissions, as in 640 (default: as they are; 600 for a new file)"),
      check: optionalText("check", "command", "A shell command that must accept the new file, which is in $ZK_FILE"),
      reload: optionalText("reload", "command", "A shell command to run after the file was written"),
      ...following
    },
    handle(async () => (await import("../around/template.ts")).template, { limited: "partly" })
  ).pipe(
    Command.withShortDescription("Write a file from a template and a subtree, and again at each change"),
    Command.withDescription(
      "Write a file from a template in Liquid and the values of a subtree, and again when the subtree has changed; then\n" +
        "  start a command again, send it a signal, or reload a service. A state that the template or --check refuses\n" +
        "  leaves the file as it is"
    ),
    Command.withExamples([
      { command: "zk template /config/mail mail.liquid", description: "Print the text alone" },
      {
        command: "zk template /config/mail mail.liquid -o mail.conf --signal HUP -- ./mail-server",
        description: "A command that reads the file, and is told at each change"
      },
      {
        command: "zk template /sites site.liquid -o /etc/nginx/conf.d/sites.conf --reload 'systemctl reload nginx'",
        description: "A service that runs by itself"
      }
    ])
  )

  const bench = Command.make(
    "bench",
    {
      path: znodeOrRoot("Where its znodes are created, and deleted at the end"),
      rate: number("rate", "number", "Requests a second, 5,000 at most", 100),
      duration: text("duration", "duration", "How long, 10 minutes at most", "10s"),
      concurrency: number("concurrency", "number", "How many requests may be on their way", 20),
      size: text("size", "size", "The bytes of data, 100k at most", "100"),
      operations: text(
        "operations",
        "list",
        "read, write and create, which is an ephemeral znode and its end",
        "read,write"
      ),
      giveUp: text("give-up", "duration", "Stop when the requests of a second take longer on average", "500ms")
    },
    handle(async () => (await import("../around/bench.ts")).bench, { limited: "ifAsked" })
  ).pipe(
    Command.withShortDescription("Measure requests at a rate that has an upper bound"),
    Command.withDescription(
      "Measure requests at a rate that has an upper bound; it stops where the servers are slow. A PATH that does not exist is\n" +
        "  created as a container, which the servers delete some time after its last znode"
    ),
    Command.withExamples([
      { command: "zk bench", description: "50 reads and 50 writes a second, for ten seconds" },
      { command: "zk bench /test --rate 1000 --operations read --duration 1m", description: "Reads alone" }
    ])
  )

  const server = Command.make(
    "server",
    {
      port: number("port", "number", "The client port; 0 is any free one", 2181),
      host: text("host", "address", "The address to listen on", "127.0.0.1"),
      members: number("members", "number", "On how many ports to listen, as if they were an ensemble", 1),
      tick: number("tick", "milliseconds", "tickTime; sessions last from two of them to twenty", 2000)
    },
    handle(async () => (await import("../around/server.ts")).server, { limited: "never" })
  ).pipe(
    Command.withShortDescription("Run the embedded ZooKeeper, which keeps nothing, to try things out"),
    Command.withDescription(
      "Run the embedded ZooKeeper, which keeps nothing, for tests and for trying things out. ZK_SUPER has the super user, as user:password"
    ),
    Command.withExamples([{ command: "zk server", description: "In another terminal: zk ls /" }])
  )

  return [env, template, bench, server, shell, completions, completeZnodes, completeProfiles] as const
}

// ---- internal

const text = (name: string, metavar: string, description: string, otherwise: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(otherwise === "" ? description : `${description} (default: ${otherwise})`),
    Flag.withDefault(otherwise)
  )

/** The flags of the commands that follow a subtree. */
const following = {
  signal: optionalText("signal", "name", "Send this signal at a change, as in HUP, instead of starting it again"),
  once: toggle("once", "Do not follow the subtree"),
  settle: text("settle", "duration", "How long nothing may change before the command is told", "1s"),
  grace: text("grace", "duration", "The time from SIGTERM to SIGKILL", "10s")
}

/** A whole number from 0 on. */
const number = (name: string, metavar: string, description: string, otherwise: number) =>
  optionalNumber(name, metavar, `${description} (default: ${otherwise})`).pipe(Flag.map((value) => value ?? otherwise))
