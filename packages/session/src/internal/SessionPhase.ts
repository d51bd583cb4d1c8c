import { withJson } from "@effect-zookeeper/protocol/Json"
import type { SessionState } from "../SessionState.ts"
import type { ServerConnection } from "./connection/ServerConnection.ts"

/** Where a session is. Applications see `Provisional` as `Connected`. */
export type SessionPhase =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Connected"; readonly connection: ServerConnection }
  | { readonly _tag: "Provisional"; readonly connection: ServerConnection }
  | { readonly _tag: "Disconnected"; readonly since: bigint }
  | { readonly _tag: "EnsembleBehind" }
  | { readonly _tag: "Expired" }
  /** The connection, if there is one, is about to be left. */
  | { readonly _tag: "AuthFailed"; readonly connection: ServerConnection | undefined }
  | { readonly _tag: "Closed" }

type Tag = SessionPhase["_tag"]

/**
 * The phases that may follow each phase. A connection that ends before its own phase has begun leads from Connecting and
 * EnsembleBehind to Disconnected.
 */
const followers: Record<Tag, ReadonlyArray<Tag>> = {
  Connecting: ["Connected", "Provisional", "Disconnected", "EnsembleBehind", "Expired", "AuthFailed", "Closed"],
  Connected: ["Disconnected", "AuthFailed", "Closed"],
  Provisional: ["Disconnected", "AuthFailed", "Closed"],
  Disconnected: ["Connected", "Provisional", "EnsembleBehind", "Expired", "AuthFailed", "Closed"],
  EnsembleBehind: ["Connected", "Provisional", "Disconnected", "Expired", "AuthFailed", "Closed"],
  Expired: ["Connecting", "Closed"],
  AuthFailed: [],
  Closed: []
}

/** Whether a phase may follow another one. */
export const canFollow = (from: SessionPhase, to: SessionPhase): boolean => followers[from._tag].includes(to._tag)

/** Whether no phase can follow. */
export const isFinalPhase = (phase: SessionPhase): boolean => followers[phase._tag].length === 0

/** The phase as applications see it. */
export const stateOf = (phase: SessionPhase): SessionState => {
  switch (phase._tag) {
    case "Connected":
    case "Provisional": {
      const { isReadOnly: readOnly, server } = phase.connection
      return { _tag: "Connected", server: { host: server.host, port: server.port }, readOnly }
    }
    case "Disconnected":
      return withJson({ _tag: "Disconnected", since: phase.since })
    default:
      return { _tag: phase._tag }
  }
}
