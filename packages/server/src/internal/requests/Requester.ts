import type { Identity } from "../state/AccessControl.ts"
import type { Release } from "../state/Release.ts"

/** The client that requests a write, and the rules of the server that decides about it. */
export interface Requester {
  readonly session: bigint
  readonly identities: ReadonlyArray<Identity>
  /** Whether only one server knows the session, which therefore cannot own ephemeral znodes. */
  readonly local: boolean
  readonly rules: Rules
}

/** Settings that decide which writes a server refuses. */
export interface Rules {
  /** The release as which the server answers. */
  readonly release: Release
  /** Whether clients can create TTL znodes. */
  readonly extendedTypes: boolean
  readonly enforceQuota: boolean
  readonly reconfigEnabled: boolean
}
