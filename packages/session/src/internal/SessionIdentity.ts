import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Redacted from "effect/Redacted"
import type { SessionCredentials } from "../SessionOptions.ts"

const noPassword = new Uint8Array(16)

const noSession: SessionCredentials = { id: 0n, password: Redacted.make(noPassword) }

/** The id and the password of the session, and whether they are worth presenting to a server. */
export class SessionIdentity {
  private current: SessionCredentials
  /**
   * Whether a server with a quorum knows the session. A session that comes from a read-only server means nothing to other
   * servers, and is not presented to them.
   */
  isKnownToEnsemble: boolean

  /** Takes up the session that the options give; without one the first server makes a new session. */
  constructor(given: SessionCredentials | undefined) {
    this.current = given ?? noSession
    this.isKnownToEnsemble = given !== undefined
  }

  /** 0 while there is no session. */
  get id(): bigint {
    return this.current.id
  }

  get password(): Redacted.Redacted<Uint8Array> {
    return this.current.password
  }

  /** The id for the next handshake; 0 asks for a new session. */
  get presentedId(): bigint {
    return this.isKnownToEnsemble ? this.current.id : 0n
  }

  /** A server has granted the session. Returns whether it is another session than before. */
  granted(response: Handshake.ConnectResponse, readOnly: boolean): boolean {
    const isNew = response.sessionId !== this.current.id
    // A server older than 3.5 resumes a session that it knows even without a quorum. The ensemble still has the session,
    // so the next server has to be asked for it.
    const isResumed = this.isKnownToEnsemble && !isNew
    this.current = { id: response.sessionId, password: Redacted.make(response.passwd ?? noPassword) }
    this.isKnownToEnsemble = isResumed || !readOnly
    return isNew
  }

  /** The session is over: the next handshake asks for a new one. */
  forget(): void {
    this.current = noSession
    this.isKnownToEnsemble = false
  }
}
