import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import type { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { AuthInfo } from "../../SessionOptions.ts"
import { AuthFailed, MAX_LOSSES, type SessionError } from "../../SessionError.ts"
import type { GuardCallback } from "../guardCallback.ts"
import type { OldestUnanswered } from "../requests/RequestPipeline.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"

type Packet = Operation.Request<typeof Operations.auth>

/** An auth info, with the callers that wait for the server's answer. */
interface AuthEntry {
  readonly info: AuthInfo
  readonly waiting: Set<(exit: Exit.Exit<void, SessionError>) => void>
  /** Whether the session relies on it: it was given when the session was made, or a server has accepted it. */
  isEstablished: boolean
  /** How many connections in a row were lost while it was with a server alone. */
  losses: number
}

/** The connection that packets are written to. */
interface WritableConnection {
  readonly writer: JuteWriter
  readonly schedule: () => void
}

/**
 * The auth infos of a session. A server forgets them with the connection, so each new connection gets all of them before
 * anything else. Answers come in the order of the packets, but apart from the replies to requests.
 */
export class AuthInfos {
  private all: Array<AuthEntry>
  private unanswered: Array<AuthEntry> = []
  private onAnswered: (() => void) | undefined
  /** Whether a connection was lost with an auth info since a server last accepted all: each is sent alone then. */
  private isOneByOne = false
  /** The one that is with the server alone. */
  private isolated: AuthEntry | undefined
  /** Those that are still to be sent on this connection, one by one. */
  private unsent: Array<AuthEntry> = []
  private onIsolatedAnswered: (() => void) | undefined

  /** Since when the oldest packet has waited for its answer: monotonic milliseconds. */
  private unansweredSince = 0
  private readonly guardCallback: GuardCallback
  private readonly now: () => number

  constructor(auth: ReadonlyArray<AuthInfo>, guardCallback: GuardCallback, now: () => number) {
    this.guardCallback = guardCallback
    this.now = now
    this.all = auth.map((info) => ({ info, waiting: new Set(), isEstablished: true, losses: 0 }))
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.all.length === 0
  }

  /**
   * Sends all of them on a new connection; `onReplayed` runs when other frames may follow. That is at once, unless a connection
   * was lost with them.
   */
  replay(connection: WritableConnection, onReplayed: () => void): void {
    this.unanswered = []
    this.onAnswered = undefined
    this.isolated = undefined
    this.unsent = []
    this.onIsolatedAnswered = undefined
    if (!this.isOneByOne) {
      for (const entry of this.all) this.sendPacket(entry, connection.writer)
      return onReplayed()
    }
    this.unsent = [...this.all]
    const next = () => {
      this.isolated = this.unsent.shift()
      if (this.isolated === undefined) {
        this.isOneByOne = false
        this.onIsolatedAnswered = undefined
        return onReplayed()
      }
      this.sendPacket(this.isolated, connection.writer)
      connection.schedule()
    }
    this.onIsolatedAnswered = next
    next()
  }

  /**
   * The connection is lost. An auth info with which `MAX_LOSSES` connections were lost is given up: the callers that wait for
   * it get an error. If the session relies on it, the session ends by the returned error.
   */
  disconnected(): AuthFailed | undefined {
    const { isolated } = this
    const isLost = this.unanswered.length > 0
    this.unanswered = []
    this.onAnswered = undefined
    this.isolated = undefined
    this.unsent = []
    this.onIsolatedAnswered = undefined
    if (!isLost) return undefined
    this.isOneByOne = true
    if (isolated === undefined || ++isolated.losses < MAX_LOSSES) return undefined
    const reason = `given up, for ${isolated.losses} connections were lost while the credentials were with a server; servers close on a request that is larger than their jute.maxbuffer`
    const error = new AuthFailed({ scheme: isolated.info.scheme, reason })
    if (isolated.isEstablished) return error
    this.all = this.all.filter((entry) => entry !== isolated)
    this.resumeAll(isolated, Exit.fail(error))
    return undefined
  }

  /** Calls back when the server has accepted all that it was told on this connection. */
  whenAnswered(onAnswered: () => void): void {
    this.onAnswered = onAnswered
    this.checkAnswered()
  }

  /**
   * Adds one, and sends it at once if there is a connection. `resume` is called when a server has accepted it, unless the
   * returned function is called before: the caller waits no longer then, and the auth info stays.
   */
  add(
    info: AuthInfo,
    writer: JuteWriter | undefined,
    resume: (exit: Exit.Exit<void, SessionError>) => void
  ): () => void {
    let entry = this.all.find((known) => isSame(known.info, info))
    if (entry === undefined) {
      entry = { info, waiting: new Set(), isEstablished: false, losses: 0 }
      this.all.push(entry)
    }
    const { waiting } = entry
    waiting.add(resume)
    if (this.onIsolatedAnswered !== undefined) {
      if (!this.unsent.includes(entry)) this.unsent.push(entry)
    } else if (writer !== undefined) this.sendPacket(entry, writer)
    return () => waiting.delete(resume)
  }

  /** The oldest packet that the server has not answered. */
  get oldestUnanswered(): OldestUnanswered | undefined {
    return this.unanswered.length > 0 ? { operation: Operations.auth.name, since: this.unansweredSince } : undefined
  }

  /** Takes the answer to the oldest packet. Returns the scheme if it was refused; throws `ProtocolViolation`. */
  answer(code: number): string | undefined {
    const entry = this.unanswered.shift()
    if (entry === undefined) throw new ProtocolViolation("the answer to credentials that were not sent")
    this.unansweredSince = this.now()
    if (code !== 0) return entry.info.scheme
    entry.isEstablished = true
    entry.losses = 0
    this.resumeAll(entry, Exit.void)
    this.onIsolatedAnswered?.()
    this.checkAnswered()
    return undefined
  }

  /** Ends the wait of all callers. Their auth infos stay, for the next session if there is one. */
  fail(error: () => SessionError): void {
    for (const entry of this.all) if (entry.waiting.size > 0) this.resumeAll(entry, Exit.fail(error()))
  }

  private resumeAll(entry: AuthEntry, exit: Exit.Exit<void, SessionError>): void {
    const waiting = [...entry.waiting]
    entry.waiting.clear()
    for (const resume of waiting) this.guardCallback(() => resume(exit))
  }

  private sendPacket(entry: AuthEntry, writer: JuteWriter): void {
    if (this.unanswered.length === 0) this.unansweredSince = this.now()
    this.unanswered.push(entry)
    const packet: Packet = {
      type: 0,
      scheme: entry.info.scheme,
      auth: new TextEncoder().encode(Redacted.value(entry.info.credentials))
    }
    Frame.append(writer, (body) => {
      body.int(Operations.Xid.auth)
      body.int(Operations.auth.opCode)
      Operations.auth.request.write(body, packet)
    })
  }

  private checkAnswered(): void {
    if (this.unanswered.length > 0) return
    const onAnswered = this.onAnswered
    this.onAnswered = undefined
    onAnswered?.()
  }
}

const isSame = (a: AuthInfo, b: AuthInfo): boolean =>
  a.scheme === b.scheme && Redacted.value(a.credentials) === Redacted.value(b.credentials)
