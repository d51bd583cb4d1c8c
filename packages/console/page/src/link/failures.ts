/** Failures in words for a person: what happened, and what helps. */
import type { EditFailure } from "@effect-zookeeper/console/ProtocolError"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import { line } from "../model/text.ts"

/**
 * - `feed`: it begins again by itself.
 * - `question`: a person asks again.
 * - `change`: it may have been made, and may do harm when it is made twice.
 */
export type Request = "feed" | "question" | "change"

const gone: Readonly<Record<Request, string>> = {
  feed: "The server of this page does not answer. It goes on when it is back.",
  question: "The server of this page does not answer. Try again when it is back.",
  change:
    "The server of this page was gone before it answered. The change may have been made: look before you try again."
}

export const describe = (error: EditFailure | RpcClientError, request: Request = "feed"): string => {
  switch (error._tag) {
    case "RpcClientError":
      return gone[request]
    case "NoSuchCluster":
      return `There is no cluster ${line(error.cluster)} here.`
    case "NoSuchZnode":
      return `${line(error.path)} does not exist.`
    case "Forbidden":
      return `The ACL does not allow it: ${line(error.path)}. Start zk ui with credentials that it allows: --auth-file, or authFile of a profile.`
    case "AlreadyExists":
      return `${line(error.path)} exists already.`
    case "ReadOnly":
      return `Nothing can be changed here: ${line(error.source)}.`
    case "Conflict":
      return error.current === undefined
        ? `${line(error.path)} was deleted meanwhile. Nothing was changed.`
        : `${line(error.path)} was changed meanwhile. Nothing was changed.`
    case "MoreBelow":
      return `There are ${error.znodes.toLocaleString("en")} znodes now, which is more than you agreed to. Nothing was deleted.`
    case "Unavailable":
      return error.maybeApplied
        ? `The ensemble did not answer, and the change may have been made: look before you try again. ${line(error.message)}`
        : `The ensemble does not answer. ${line(error.message)}`
    case "Refused":
      return line(error.message)
  }
}
