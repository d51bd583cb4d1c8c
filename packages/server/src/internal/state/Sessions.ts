/**
 * The sessions of a server: who they are, and when they end if nobody speaks for them.
 *
 * @since 0.1.0
 */

/**
 * @category models
 * @since 0.1.0
 */
export interface Session<Client> {
  readonly id: bigint
  /** Milliseconds, as negotiated at the last handshake. */
  timeout: number
  /** Monotonic milliseconds: a multiple of the tick. */
  deadline: number
  /** A sign of life that is on its way to the leader: when it is there, and which server brings it. */
  report: { readonly at: number; readonly from: object } | undefined
  /** The connection that speaks for it, if there is one. */
  client: Client | undefined
  /** Whether it is known to one member alone. */
  readonly local: boolean
}

/**
 * @category models
 * @since 0.1.0
 */
export class Sessions<Client> {
  private readonly byId = new Map<bigint, Session<Client>>()
  private readonly tickTime: number
  private nextId: bigint

  /** `tickTime` in milliseconds. The ids of a run begin with the number of the server and the time of its start. */
  constructor(tickTime: number, serverId: number, startedAt: number) {
    this.tickTime = tickTime
    this.nextId = BigInt.asIntN(64, (BigInt(serverId) << 56n) | ((BigInt(startedAt) << 16n) & 0x00ffffffffff0000n))
  }

  open(timeout: number, now: number, local: boolean): Session<Client> {
    const id = this.nextId
    this.nextId = BigInt.asIntN(64, id + 1n)
    return this.add(id, timeout, now, local)
  }

  /** Takes in a session that was opened elsewhere or before. Its id is not given again. */
  adopt(id: bigint, timeout: number, now: number): void {
    if (id >= this.nextId) this.nextId = BigInt.asIntN(64, id + 1n)
    this.add(id, timeout, now, false)
  }

  get(id: bigint): Session<Client> | undefined {
    return this.byId.get(id)
  }

  get all(): ReadonlyArray<Session<Client>> {
    return [...this.byId.values()]
  }

  get size(): number {
    return this.byId.size
  }

  /** Someone spoke for it. */
  touch(session: Session<Client>, now: number): void {
    session.deadline = Math.max(session.deadline, this.deadlineOf(session.timeout, now))
  }

  /** Someone spoke for it at another server than the leader, who hears of it at `at`. */
  touchLater(session: Session<Client>, at: number, from: object): void {
    if (session.report !== undefined && session.report.at < at) this.settle(session)
    session.report ??= { at, from }
  }

  /** The signs of life that a server has not yet reported get lost: whose they are. */
  loseReports(from: object, now: number): ReadonlyArray<Session<Client>> {
    this.reportUntil(now)
    const lost = this.all.filter(({ report }) => report?.from === from)
    for (const session of lost) session.report = undefined
    return lost
  }

  /** All signs of life that are there by a moment. */
  reportUntil(now: number): void {
    for (const session of this.byId.values()) {
      if (session.report !== undefined && session.report.at < now) this.settle(session)
    }
  }

  /** Everybody gets the full time, as at a new leader. */
  renew(now: number): void {
    for (const session of this.byId.values()) {
      session.report = undefined
      session.deadline = this.deadlineOf(session.timeout, now)
    }
  }

  close(id: bigint): void {
    this.byId.delete(id)
  }

  expired(now: number): ReadonlyArray<Session<Client>> {
    this.reportUntil(now)
    return this.all.filter(({ deadline }) => deadline <= now)
  }

  private add(id: bigint, timeout: number, now: number, local: boolean): Session<Client> {
    const deadline = this.deadlineOf(timeout, now)
    const session: Session<Client> = { id, timeout, deadline, report: undefined, client: undefined, local }
    this.byId.set(id, session)
    return session
  }

  private settle(session: Session<Client>): void {
    if (session.report !== undefined) this.touch(session, session.report.at)
    session.report = undefined
  }

  /** When the next session ends if nobody speaks, in monotonic milliseconds. */
  get nextDeadline(): number | undefined {
    let next: number | undefined
    for (const { deadline } of this.byId.values()) if (next === undefined || deadline < next) next = deadline
    return next
  }

  /** A session outlives its timeout by what is left of the tick. */
  private deadlineOf(timeout: number, now: number): number {
    return (Math.floor((now + timeout) / this.tickTime) + 1) * this.tickTime
  }
}

/**
 * The password of a session, as real servers make it: sixteen bytes of Java's `Random`, seeded with the id. It keeps out
 * mistakes, not attackers.
 *
 * @category getters
 * @since 0.1.0
 */
export const passwordOf = (id: bigint): Uint8Array => {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  let seed = (BigInt.asUintN(64, id) ^ 0xb3415c00n ^ MULTIPLIER) & MASK
  for (let at = 0; at < 16; at += 4) {
    seed = (seed * MULTIPLIER + 0xbn) & MASK
    view.setInt32(at, Number(BigInt.asIntN(32, seed >> 16n)), true)
  }
  return bytes
}

// ---- internal

const MULTIPLIER = 0x5deece66dn
const MASK = (1n << 48n) - 1n
