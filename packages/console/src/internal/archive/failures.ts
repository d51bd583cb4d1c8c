/** The errors of exports, imports and copies as a page is told them. */
import type { EditFailure, ReadFailure } from "../../ProtocolError.ts"
import { Refused } from "../../ProtocolError.ts"
import { type ClientError, toEditFailure, toReadFailure } from "../failures.ts"

export const toArchiveFailure = (error: ClientError): ReadFailure => {
  const own = ownFailure(error)
  return own ?? toReadFailure(error)
}

export const toGraftFailure = (error: ClientError): EditFailure => {
  const own = ownFailure(error)
  return own ?? toEditFailure(error)
}

// ---- internal

/** Errors of files have the places of temporary files in their messages, which are of no use to a page. */
const ownFailure = (error: ClientError): Refused | undefined => {
  if (error instanceof Refused) return error
  switch (error._tag) {
    case "MalformedFile":
      return new Refused({
        reason: "invalid",
        message: "the file is no complete backup of a subtree; nothing was created"
      })
    case "PlatformError":
    case "FileAccessError":
      return new Refused({ reason: "unsupported", message: "the server of this page cannot write its temporary file" })
    case "MaskedAcl":
      return new Refused({ reason: "unsupported", message: error.message })
    default:
      return undefined
  }
}
