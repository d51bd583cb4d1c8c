/** The names that commands of other shells of ZooKeeper have here, for those who type them. */
import type * as CliError from "effect/cli/CliError"

/** A hint for a mistake that is right in another shell; undefined for other mistakes. */
export const hintFor = (error: CliError.CliError | undefined, args: ReadonlyArray<string>): string | undefined => {
  if (error?._tag === "UnknownSubcommand") {
    const command = commands.get(error.subcommand.toLowerCase())
    return command === undefined ? undefined : `here that is ${command}`
  }
  if (error?._tag === "UnrecognizedOption" && error.option === "-e" && error.command?.at(-1) === "create") {
    return "an ephemeral znode would end with this command; zk lock and zk elect hold one while another command runs"
  }
  if (error?._tag === "UnrecognizedOption" && error.option === "-v") return "here that is --version"
  // It has taken the path for its value.
  if (error?._tag === "MissingArgument" && args[args.indexOf("-s") + 1]?.startsWith("/") && args.includes("-s")) {
    return "-s is --servers here; zk stat and ls -l show stats"
  }
  return undefined
}

// ---- internal

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
    zk("sessions", "session_info"),
    zk("backup", "export"),
    zk("restore", "import"),
    zk("reconfig", "reconfigure"),
    ...["mntr", "cons", "dump", "ruok", "srvr", "envi", "conf", "wchs", "wchc", "wchp"].map((word) =>
      zk(`4lw ${word}`, word)
    ),
    as("`--auth-file`, which names a file with credentials", "addauth", "add_auth"),
    as("`--servers`, or a profile", "connect", "open"),
    as("`zk --version`, and `zk status` for those of the servers", "version"),
    as("`exit`, at the prompt of `zk shell`", "quit", "close", "disconnect", "exit"),
    as("`zk --help`", "help", "man"),
    as("for the prompt of `zk shell`", "cd", "pwd"),
    as("arrow up, at the prompt of `zk shell`", "history", "redo"),
    as("`Ctrl-C`: a watch ends with its command", "removewatches")
  ].flat()
)
