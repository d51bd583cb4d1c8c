import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import type { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { AuthInfo } from "../Session.ts"
import { AuthFailed, MAX_LOSSES, type SessionError } from "../SessionError.ts"
import type { CallOut } from "./CallOut.ts"
import type { Awaited } from "./Exchange.ts"
import { Violation } from "./Violation.ts"

type Packet = Operation.Request<typeof Operations.auth>

/** An identity, and who waits for the server's word on it. */
interface Identity {
  readonly info: AuthInfo
  readonly waiting: Set<(exit: Exit.Exit<void, SessionError>) => void>
  /** Whether the session counts on it: it was given when the session was made, or a server has accepted it. */
  isCountedOn: boolean
  /** How many connections in a row were lost while it alone was with a server. */
  losses: number
}

/** Where packets are written, and seen to. */
interface Outlet {
  readonly writer: JuteWriter
  readonly schedule: () => void
}

/**
 * The identities of a session. A server forgets them with the connection, so each new one is told all of them before
 * anything else. Answers come in the order of the packets, but apart from the replies to requests.
 */
export class Identities {
  private all: Array<Identity>
  private asked: Array<Identity> = []
  private onAnswered: (() => void) | undefined
  /** Whether a connection was lost with an identity since a server accepted all: each is asked for alone then. */
  private isCareful = false
  /** The one that is with the server and nothing beside it. */
  private alone: Identity | undefined
  /** Those that the connection is still to be told, one by one. */
  private untold: Array<Identity> = []
  private onAloneAnswered: (() => void) | undefined

  /** Since when the oldest packet has waited for its answer: monotonic milliseconds. */
  private askedSince = 0
  private readonly callOut: CallOut
  private readonly now: () => number

  constructor(auth: ReadonlyArray<AuthInfo>, callOut: CallOut, now: () => number) {
    this.callOut = callOut
    this.now = now
    this.all = auth.map((info) => ({ info, waiting: new Set(), isCountedOn: true, losses: 0 }))
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.all.length === 0
  }

  /**
   * Tells a new connection all of them; `onTold` runs when something else may be sent behind them. That is at once, unless
   * a connection was lost with them.
   */
  replay(outlet: Outlet, onTold: () => void): void {
    this.asked = []
    this.onAnswered = undefined
    this.alone = undefined
    this.untold = []
    this.onAloneAnswered = undefined
    if (!this.isCareful) {
      for (const identity of this.all) this.ask(identity, outlet.writer)
      return onTold()
    }
    this.untold = [...this.all]
    const next = () => {
      this.alone = this.untold.shift()
      if (this.alone === undefined) {
        this.isCareful = false
        this.onAloneAnswered = undefined
        return onTold()
      }
      this.ask(this.alone, outlet.writer)
      outlet.schedule()
    }
    this.onAloneAnswered = next
    next()
  }

  /**
   * The connection is lost. An identity with which `MAX_LOSSES` connections were lost is given up: whoever adds it learns
   * it, and with one that the session counts on the session ends, by the error that is given back.
   */
  lost(): AuthFailed | undefined {
    const { alone } = this
    const isLost = this.asked.length > 0
    this.asked = []
    this.onAnswered = undefined
    this.alone = undefined
    this.untold = []
    this.onAloneAnswered = undefined
    if (!isLost) return undefined
    this.isCareful = true
    if (alone === undefined || ++alone.losses < MAX_LOSSES) return undefined
    const reason = `given up, for ${alone.losses} connections were lost while the credentials were with a server; servers close on a request that is larger than their jute.maxbuffer`
    const error = new AuthFailed({ scheme: alone.info.scheme, reason })
    if (alone.isCountedOn) return error
    this.all = this.all.filter((identity) => identity !== alone)
    this.resumeAll(alone, Exit.fail(error))
    return undefined
  }

  /** Calls back when the server has accepted all that it was told on this connection. */
  whenAnswered(onAnswered: () => void): void {
    this.onAnswered = onAnswered
    this.checkAnswered()
  }

  /**
   * Adds one; told at once where there is a connection. `resume` hears when a server has accepted it, unless what is given
   * back is called before: nobody waits then, and the identity stays.
   */
  add(
    info: AuthInfo,
    writer: JuteWriter | undefined,
    resume: (exit: Exit.Exit<void, SessionError>) => void
  ): () => void {
    let identity = this.all.find((known) => isSame(known.info, info))
    if (identity === undefined) {
      identity = { info, waiting: new Set(), isCountedOn: false, losses: 0 }
      this.all.push(identity)
    }
    const { waiting } = identity
    waiting.add(resume)
    if (this.onAloneAnswered !== undefined) {
      if (!this.untold.includes(identity)) this.untold.push(identity)
    } else if (writer !== undefined) this.ask(identity, writer)
    return () => waiting.delete(resume)
  }

  /** What the server has not answered. */
  get awaited(): Awaited | undefined {
    return this.asked.length > 0 ? { operation: Operations.auth.name, since: this.askedSince } : undefined
  }

  /** The server's answer to the oldest packet; the scheme that it refused, if it did. Throws `Violation`. */
  answer(code: number): string | undefined {
    const identity = this.asked.shift()
    if (identity === undefined) throw new Violation("the answer to credentials that were not sent")
    this.askedSince = this.now()
    if (code !== 0) return identity.info.scheme
    identity.isCountedOn = true
    identity.losses = 0
    this.resumeAll(identity, Exit.void)
    this.onAloneAnswered?.()
    this.checkAnswered()
    return undefined
  }

  /** Those who wait need not wait any more; what they added stays, for the next session if there is one. */
  fail(error: () => SessionError): void {
    for (const identity of this.all) if (identity.waiting.size > 0) this.resumeAll(identity, Exit.fail(error()))
  }

  private resumeAll(identity: Identity, exit: Exit.Exit<void, SessionError>): void {
    const waiting = [...identity.waiting]
    identity.waiting.clear()
    for (const resume of waiting) this.callOut(() => resume(exit))
  }

  private ask(identity: Identity, writer: JuteWriter): void {
    if (this.asked.length === 0) this.askedSince = this.now()
    this.asked.push(identity)
    const packet: Packet = {
      type: 0,
      scheme: identity.info.scheme,
      auth: new TextEncoder().encode(Redacted.value(identity.info.credentials))
    }
    Frame.append(writer, (body) => {
      body.int(Operations.Xid.auth)
      body.int(Operations.auth.opCode)
      Operations.auth.request.write(body, packet)
    })
  }

  private checkAnswered(): void {
    if (this.asked.length > 0) return
    const onAnswered = this.onAnswered
    this.onAnswered = undefined
    onAnswered?.()
  }
}

const isSame = (a: AuthInfo, b: AuthInfo): boolean =>
  a.scheme === b.scheme && Redacted.value(a.credentials) === Redacted.value(b.credentials)
