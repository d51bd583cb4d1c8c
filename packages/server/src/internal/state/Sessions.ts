/**
 * The sessions of a server, and when they end without a sign of life.
 *
 * @since 0.1.0
 */

/**
 * A session of a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session<Client> {
  readonly id: bigint
  /** Milliseconds, as negotiated at the last handshake. */
  timeout: number
  /** Monotonic milliseconds: a multiple of the tick. */
  deadline: number
  /** A sign of life on its way to the leader: when it arrives, and which server reports it. */
  report: { readonly at: number; readonly from: object } | undefined
  /** The connection of the session, if there is one. */
  client: Client | undefined
  /** Whether only one member knows it. */
  readonly local: boolean
}

/**
 * All sessions, by their ids.
 *
 * @category models
 * @since 0.1.0
 */
export class Sessions<Client extends { readonly replica: object }> {
  private readonly byId = new Map<bigint, Session<Client>>()
  private readonly tickTime: number
  private nextId: bigint

  /** `tickTime` is in milliseconds. The ids begin with the number of the server and the time of its start. */
  constructor(tickTime: number, serverId: number, startedAt: number) {
    this.tickTime = tickTime
    this.nextId = BigInt.asIntN(64, (BigInt(serverId) << 56n) | ((BigInt(startedAt) << 16n) & 0x00ffffffffff0000n))
  }

  open(timeout: number, now: number, local: boolean): Session<Client> {
    const id = this.nextId
    this.nextId = BigInt.asIntN(64, id + 1n)
    return this.add(id, timeout, now, local)
  }

  /** Adds a session of a snapshot. Its id is not given again. */
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

  /** Takes a sign of life of a session. */
  touch(session: Session<Client>, now: number): void {
    session.deadline = Math.max(session.deadline, this.deadlineOf(session.timeout, now))
  }

  /** Takes a sign of life at a server other than the leader, which hears of it at the time `at`. */
  touchLater(session: Session<Client>, at: number, from: object): void {
    if (session.report !== undefined && session.report.at < at) this.settle(session)
    session.report ??= { at, from }
  }

  /** Drops the signs of life that a server has not reported yet, and returns their sessions. */
  loseReports(from: object, now: number): ReadonlyArray<Session<Client>> {
    this.reportUntil(now)
    const lost = this.all.filter(({ report }) => report?.from === from)
    for (const session of lost) session.report = undefined
    return lost
  }

  /** Applies all signs of life that have arrived before a time. */
  reportUntil(now: number): void {
    for (const session of this.byId.values()) {
      if (session.report !== undefined && session.report.at < now) this.settle(session)
    }
  }

  /** Gives every session its full timeout, as a new leader does. */
  renew(now: number): void {
    for (const session of this.byId.values()) {
      session.report = undefined
      session.deadline = this.deadlineOf(session.timeout, now)
    }
  }

  close(id: bigint): void {
    this.byId.delete(id)
  }

  /** Drops the sessions that only one server knows, which has stopped. */
  closeLocal(server: object): void {
    for (const { client, id, local } of this.all) if (local && client?.replica === server) this.close(id)
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

  /** When the next session ends without a sign of life, in monotonic milliseconds. */
  get nextDeadline(): number | undefined {
    let next: number | undefined
    for (const { deadline } of this.byId.values()) if (next === undefined || deadline < next) next = deadline
    return next
  }

  /** A session ends at the next tick after its timeout. */
  private deadlineOf(timeout: number, now: number): number {
    return (Math.floor((now + timeout) / this.tickTime) + 1) * this.tickTime
  }
}

/**
 * The password of a session, as real servers make it: sixteen bytes of Java's `Random` with the id as seed. It protects
 * against mistakes, not against attackers.
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
