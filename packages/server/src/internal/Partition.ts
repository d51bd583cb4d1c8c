/**
 * One server that is cut off from the others while clients still reach all of them, as ZooKeeper behaves (3.8.0):
 *
 * - A follower hears of its leader every half a tick, and gives up when it has heard nothing for `syncLimit` ticks (the
 *   timeout of its socket). A leader looks once a tick, and steps down when it has not enough followers that answered
 *   within `syncLimit` ticks. Until then each of them goes on: it answers pings and reads from what it has.
 * - What needs the others waits: writes, whether they would succeed or not, closeSession, the handshake of a new session, and
 *   at a follower that of an old one too, for it asks the leader. A leader answers the handshake of an old session by itself.
 *   Whatever the same connection asks behind it waits as well, pings included. (A real leader answers a sync where no
 *   proposal is outstanding; here it waits, as where one is.)
 * - Sessions end at the leader alone, in a transaction. Signs of life at a follower reach it with the answer to its next
 *   ping, half a tick later at most: not those of a follower that is cut off, whose sessions the leader ends in the meantime
 *   without that server knowing.
 * - Who gives up closes all connections of its clients and serves nobody. The majority, which has lost a leader, elects
 *   another one out of those with the longest log, of several the one with the highest id. The new leader gives every
 *   session its full timeout from then on, and begins a new epoch of zxids.
 * - When the link is back before anybody gave up, nothing was lost: what waited is done now, signs of life arrive, the server
 *   catches up, and closes the connections of sessions that have ended. Who gave up takes the state of the majority first.
 *
 * A server that is cut off keeps its tree as it was (its replica leaves the transactions of the log pending), and the
 * sessions of the state are those of the majority. One server at a time, of three or more, so that there is a majority.
 */
import * as Latch from "effect/Latch"
import type { Replica } from "../Replica.ts"
import type { Client } from "../ServerState.ts"
import type { Core } from "./Core.ts"

type Member = Replica<Client>

export class Partition {
  private readonly core: Core
  private cut: Member | undefined
  /** Whether the one that is cut off led, and does not know yet that it leads nobody. */
  private ledBefore = false
  /** Whether the link is back, and the old leader has yet to notice that there is another one. */
  private isHealed = false
  /** When who is alone gives up, and when who is down comes back. */
  private readonly due = new Map<Member, number>()
  /** Open while no server is cut off. */
  readonly whole = Latch.makeUnsafe(true)

  constructor(core: Core) {
    this.core = core
  }

  /** Whether a server answers the handshakes of old sessions by itself. */
  leads(replica: Member): boolean {
    return replica === this.core.state.leader || (replica === this.cut && this.ledBefore)
  }

  /** False if there is one that is cut off, or no majority without this one. */
  isolate(replica: Member, now: number): boolean {
    const { settings, state } = this.core
    if (this.cut !== undefined || state.replicas.length < 3) return false
    this.cut = replica
    this.ledBefore = replica === state.leader
    this.isHealed = false
    this.whole.closeUnsafe()
    const heard = state.lastReport(now)
    for (const member of this.ledBefore ? state.replicas : [replica]) {
      state.leaveAlone(member, now)
      // A leader looks once in a tick.
      const patience = settings.syncLimit + (member === state.leader ? 1 : 0)
      this.due.set(member, heard + patience * settings.tickTime)
    }
    return true
  }

  /** The link is back. */
  rejoin(): void {
    const { core, cut } = this
    if (cut === undefined) return
    const { state } = core
    const isElecting = cut === state.leader && state.replicas.some(({ standing }) => standing === "down")
    const isUnaware = this.ledBefore && cut !== state.leader && cut.standing === "alone"
    // Those that have lost their leader elect one; the old one hears of it when it has stepped down.
    if (isElecting || isUnaware) {
      this.isHealed = true
      return
    }
    const back = state.replicas.filter(({ standing }) => standing !== "joined")
    // A leader goes on with what it knows: what has expired meanwhile is proposed already.
    if (cut === state.leader) {
      cut.standing = "joined"
      core.deliver(state.expireSessions(core.moment()))
    }
    this.join(back)
    this.end()
  }

  get nextDue(): number | undefined {
    return this.due.size === 0 ? undefined : Math.min(...this.due.values())
  }

  /** Lets everything happen that is due by now. */
  advance(now: number): void {
    for (const [member, at] of [...this.due]) {
      if (at > now || !this.due.has(member)) continue
      if (member.standing === "alone") this.giveUp(member, now)
      else this.elect(now)
    }
  }

  /** As if there had been none. */
  forget(): void {
    for (const replica of this.core.state.replicas) {
      replica.standing = "joined"
      replica.touched.clear()
    }
    this.end()
  }

  private giveUp(member: Member, now: number): void {
    this.due.delete(member)
    member.standing = "down"
    member.touched.clear()
    this.core.disconnect(member)
    if (member !== this.cut) {
      this.due.set(member, now + this.core.settings.tickTime / 2)
    } else if (this.isHealed && member !== this.core.state.leader) {
      this.join([member])
      this.end()
    }
  }

  private elect(now: number): void {
    const { state } = this.core
    const majority = state.replicas.filter((replica) => replica !== this.cut)
    for (const member of majority) this.due.delete(member)
    state.lead(majority.at(-1)!, now)
    this.join(majority)
    if (this.isHealed && this.cut?.standing === "down") {
      this.join([this.cut])
      this.end()
    }
  }

  /** They follow the log again, from its end on. */
  private join(members: ReadonlyArray<Member>): void {
    const { core } = this
    for (const member of members) {
      this.due.delete(member)
      member.standing = "joined"
    }
    for (const member of members) core.deliver(core.state.welcome(member, core.moment()))
    for (const peer of [...core.peers.values()]) {
      const { replica, session } = peer.client
      if (!members.includes(replica)) continue
      if (session !== undefined && core.state.sessions.get(session.id) !== session) peer.end()
      else peer.drain()
    }
  }

  private end(): void {
    this.cut = undefined
    this.due.clear()
    this.whole.openUnsafe()
  }
}
