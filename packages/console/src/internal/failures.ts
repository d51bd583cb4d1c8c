/** The errors of the client as a page is told them. */
import type { SessionError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import { AlreadyExists, Forbidden, NoSuchZnode, type ReadFailure, Refused, Unavailable } from "../ProtocolError.ts"

/** The errors of the client's methods. */
export type ClientError =
  | SessionError
  | { readonly _tag: string; readonly message: string; readonly path?: string | undefined }

/** The failure of a stream whose session is over for good. Asking again makes another one. */
export const sessionOver: ReadFailure = new Unavailable({
  message: "the session of the console is over; asking again makes another one",
  maybeApplied: false
})

/** The failure of a request that reads. */
export const toReadFailure = (error: ClientError): ReadFailure => {
  const path = "path" in error && typeof error.path === "string" ? error.path : ""
  switch (error._tag) {
    case "NoNode":
      return new NoSuchZnode({ path })
    case "NoAuth":
      return new Forbidden({ path })
    case "InvalidArgument":
    case "InvalidACL":
    case "NoChildrenForEphemerals":
    case "QuotaExceeded":
      return new Refused({ reason: "invalid", message: error.message })
    case "FrameTooLarge":
      return new Refused({ reason: "tooMuch", message: error.message })
    case "ServerRefused":
      return new Refused({
        reason: Outcome.isUnimplemented(error) ? "unsupported" : "invalid",
        message: error.message
      })
    default:
      return new Unavailable({ message: error.message, maybeApplied: Outcome.mayBeApplied(error) })
  }
}

/** The failure of a request that changes something, where it is no conflict. */
export const toEditFailure = (error: ClientError): ReadFailure | AlreadyExists =>
  error._tag === "NodeExists"
    ? new AlreadyExists({ path: "path" in error && typeof error.path === "string" ? error.path : "" })
    : toReadFailure(error)
