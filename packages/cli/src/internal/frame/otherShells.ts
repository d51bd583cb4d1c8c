/** The names that commands of other shells of ZooKeeper have here, for those who type them. */
import type * as CliError from "effect/cli/CliError"

/** A hint for a mistake that is right in another shell; undefined for other mistakes. */
export const hintFor = (error: CliError.CliError | undefined, args: ReadonlyArray<string>): string | undefined => {
  switch (error?._tag) {
    case "UnknownSubcommand": {
      const command = commands.get(error.subcommand.toLowerCase())
      return command === undefined ? undefined : `here that is ${command}`
    }
    case "UnrecognizedOption":
      return hintForOption(error.command?.slice(1).join(" ") ?? "", error.option)
    case "UnexpectedArgument":
      return hintForArgument(args)
    // It has taken the path for its value.
    case "MissingArgument":
      return hasPathAfter(args, "-s")
        ? "-s is --servers here; zk stat and ls -l show stats"
        : hasPathAfter(args, "-p")
          ? "-p is --profile here; create has --parents"
          : undefined
    case "InvalidValue":
      // The flag after it is no value.
      return error.option === "servers" && args.includes("-s")
        ? "-s is --servers here; create has --sequential"
        : undefined
    default:
      return undefined
  }
}

// ---- internal

const hasPathAfter = (args: ReadonlyArray<string>, flag: string): boolean =>
  args.includes(flag) && args[args.indexOf(flag) + 1]?.startsWith("/") === true

const hintForOption = (command: string, option: string): string | undefined => {
  if (command === "create" && option === "-c") return "here that is --container"
  if (command === "create" && option === "-t") return "here that is --ttl, with a unit, as in 10000ms"
  if (command === "" && option === "-r") return "here that is --read-only"
  if (option === "-v") return "here that is --version"
  if (option === "-w") return "zk watch prints the events of a znode"
  const limit = command.startsWith("quota ") ? limits.get(option) : undefined
  return limit === undefined ? undefined : `here that is ${limit}`
}

const limits: ReadonlyMap<string, string> = new Map([
  ["-n", "--count"],
  ["-b", "--bytes"],
  ["-N", "--hard-count"],
  ["-B", "--hard-bytes"]
])

const hintForArgument = (args: ReadonlyArray<string>): string | undefined => {
  const [command = "", second = ""] = args
  // Only the prompt of `zk shell` gets them.
  if (args.some((arg) => /^([|;&<]|&&|>>?)$/.test(arg)))
    return "the prompt has no pipes; your own shell has: `zk ls / | wc -l`"
  if (command === "create" && args.some((arg) => /^(world|auth|digest|ip|x509|sasl|super):.*:[cdrwa]+$/.test(arg))) {
    return "an ACL is given by --acl"
  }
  if (command === "acl" && second === "get") return "`zk acl PATH` prints the ACL"
  if (command === "watch" && second === "start") return "here that is `zk watch -R PATH`"
  if (command === "find") return "a name is given by --name, as in --name '*text*'"
  return undefined
}

type Names = ReadonlyArray<readonly [name: string, hint: string]>

const as = (hint: string, ...names: ReadonlyArray<string>): Names => names.map((name) => [name, hint])

const zk = (command: string, ...names: ReadonlyArray<string>): Names => as(`\`zk ${command}\``, ...names)

/** By names in small letters: those of zkCli.sh, and of the shells that are made of kazoo. */
const commands: ReadonlyMap<string, string> = new Map(
  [
    zk("rm", "delete", "del"),
    zk("rm -r", "deleteall", "rmr"),
    zk("ls -l", "ls2", "ll", "dir"),
    zk("get", "cat", "show"),
    zk("get --as json", "json_get", "json_cat"),
    zk("stat", "exists"),
    zk("find", "ls_r", "child_matches"),
    zk("find --contains", "grep", "igrep"),
    zk("create --parents", "mkdir"),
    zk("acl", "getacl", "get_acl", "get_acls"),
    zk("acl set", "setacl", "set_acl", "set_acls"),
    zk("quota", "listquota"),
    zk("quota set", "setquota"),
    zk("quota rm", "delquota"),
    zk("ephemerals", "getephemerals"),
    zk("du -L 0", "getallchildrennumber", "child_count"),
    zk("watch", "addwatch", "printwatches"),
    zk("multi", "txn", "transaction"),
    zk("doctor", "chkzk"),
    zk("set PATH ''", "zero"),
    zk("sessions", "session_info", "session_endpoint", "ephemeral_endpoint"),
    zk("backup", "export"),
    zk("restore", "import"),
    zk("reconfig", "reconfigure"),
    ...["mntr", "cons", "dump", "ruok", "srvr", "envi", "conf", "wchs", "wchc", "wchp"].map((word) =>
      zk(`4lw ${word}`, word)
    ),
    as(
      "`--auth-file`, which names a file with credentials, or `--user`, which asks for a password; the prompt of `zk shell` has `addauth digest:NAME`",
      "addauth",
      "add_auth"
    ),
    as("`--servers`, or a profile", "connect", "open"),
    as("`zk --version`, and `zk status` for those of the servers", "version"),
    as("`exit`, at the prompt of `zk shell`", "quit", "close", "disconnect", "exit"),
    as("`zk --help`", "help", "man"),
    as("for the prompt of `zk shell`", "cd", "pwd"),
    as("a loop of your own shell", "loop", "pipe"),
    as("arrow up, at the prompt of `zk shell`", "history", "redo"),
    as("`Ctrl-C`: a watch ends with its command", "removewatches")
  ].flat()
)
