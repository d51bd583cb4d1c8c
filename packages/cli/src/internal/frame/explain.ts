/** Errors in one or two lines, in the words of the command line. */
import * as Printable from "@effect-zookeeper/client/Printable"
import { inFlags } from "../output/flagNames.ts"

interface Tagged {
  readonly _tag: string
  readonly message: string
  readonly path?: unknown
  readonly operation?: unknown
}

/** What happened, where, and what to do. */
export const explain = (error: unknown): string => inFlags(describe(error))

export const tagOf = (error: unknown): string => (isTagged(error) ? error._tag : "Unexpected")

// ---- internal

const describe = (error: unknown): string => {
  if (!isTagged(error))
    return `unexpected: ${error instanceof Error ? Printable.escapeAll(error.message) : String(error)}`
  const path = typeof error.path === "string" ? Printable.escapeAll(error.path) : ""
  const isCreate = String(error.operation).startsWith("create")
  switch (error._tag) {
    case "NoNode":
      return error.operation === "quota"
        ? `${path} has no quota`
        : isCreate
          ? `the parent of ${path} does not exist; \`zk create --parents\` creates it`
          : `${path}: no such znode`
    case "NoAuth":
      // What shows the ACL was refused itself.
      if (error.operation === "getAcl" || error.operation === "getACL") {
        return `${path}: not permitted; to see its ACL needs the permission to read or to administer it; \`zk whoami\` shows your identities, --auth-file gives credentials`
      }
      return `${path}: not permitted; \`zk acl\` shows its ACL, \`zk whoami\` your identities, --auth-file gives credentials`
    case "InvalidACL":
      return `${path}: the server does not accept the ACL; \`auth\` and \`creator\` need credentials, as --auth-file gives them, and other schemes must be known to the server`
    case "NodeExists":
      return `${path} exists already`
    case "BadVersion":
      if ("found" in error) return error.message
      return `${path} has another version than expected; nothing was written`
    case "NotEmpty":
      return `${path} has children; \`zk rm -r\` deletes them too`
    case "NoChildrenForEphemerals":
      return `the parent of ${path} is ephemeral, and cannot have children`
    case "ServerRefused":
      return "name" in error && error.name === "Unimplemented"
        ? `the server does not know ${String(error.operation)}: it is older than this command needs, or it is a single server (standalone)`
        : error.message
    case "MaskedAcl":
      return `the ACL of ${path} was read without the right to see its hashes; --auth-file gives the credentials of the super user or of one with ADMIN, and --open-acls another ACL`
    case "FileAccessError":
      return error.message.endsWith(": it exists already") ? `${error.message}; --force replaces it` : error.message
    case "MalformedFile":
      return error.message.includes("(maxRecordSize)")
        ? `${error.message}; where the servers have a larger jute.maxbuffer, set --max-buffer to that`
        : error.message
    case "FrameTooLarge":
      return "size" in error && "limit" in error && "option" in error
        ? tooLarge(path || String(error.operation), Number(error.size), Number(error.limit), error.option, error)
        : error.message
    case "LockLost":
      return `${error.message}; the command was ended`
    case "TransactionFailed":
      return "error" in error && "index" in error
        ? `operation ${Number(error.index) + 1} failed, and none was applied: ${explainOperation(error.error)}`
        : error.message
    case "ConnectFailed":
      return `no server could be reached: ${"summary" in error && error.summary !== "" ? String(error.summary) : error.message}`
    default:
      return error.message
  }
}

/** In a transaction, children are most often new ones, which to delete would be a loss. */
const explainOperation = (error: unknown): string =>
  isTagged(error) && error._tag === "NotEmpty"
    ? `${Printable.escapeAll(String(error.path))} has children`
    : explain(error)

const tooLarge = (what: string, size: number, limit: number, option: unknown, error: object): string => {
  if (option === "maxRequestSize") {
    return `${what}: the request has ${size} bytes, and --max-buffer allows ${limit}; it was not sent. Where all servers run with a larger jute.maxbuffer, set --max-buffer to that`
  }
  const perhaps = "maybeApplied" in error && error.maybeApplied === true ? "; the write may have been applied" : ""
  return `${what}: the reply has ${size} bytes, and --max-buffer allows ${limit}; raise it: --max-buffer ${Math.ceil(size / 2 ** 20)}m${perhaps}`
}

const isTagged = (error: unknown): error is Tagged =>
  typeof error === "object" && error !== null && "_tag" in error && "message" in error && typeof error._tag === "string"
