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
import type { Replica } from "../state/Replica.ts"
import type { Client, Outcome, ServerState, Settings, Timestamps } from "../state/ServerState.ts"
import type { ServerConnection } from "./ServerConnection.ts"

type Member = Replica<Client>

/** The ensemble that is partitioned. */
export interface PartitionedServer {
  readonly state: ServerState
  readonly settings: Settings
  readonly connections: ReadonlyMap<Client, ServerConnection>
  readonly timestamps: () => Timestamps
  readonly deliver: (outcome: Outcome) => void
  /** Ends all connections to a member. */
  readonly disconnect: (member: Member) => void
}

export class Partition {
  private readonly server: PartitionedServer
  private isolated: Member | undefined
  /** Whether the one that is cut off led, and does not know yet that it leads nobody. */
  private ledBefore = false
  /** Whether the link is back, and the old leader has yet to notice that there is another one. */
  private isHealed = false
  /** When who is alone gives up, and when who is down comes back. */
  private readonly due = new Map<Member, number>()
  /** Open while no server is cut off. */
  readonly whole = Latch.makeUnsafe(true)

  constructor(server: PartitionedServer) {
    this.server = server
  }

  /** Whether a server answers the handshakes of old sessions by itself. */
  leads(replica: Member): boolean {
    return replica === this.server.state.leader || (replica === this.isolated && this.ledBefore)
  }

  /** False if there is one that is cut off, or no majority without this one. */
  isolate(replica: Member, now: number): boolean {
    const { settings, state } = this.server
    if (this.isolated !== undefined || state.replicas.length < 3) return false
    this.isolated = replica
    this.ledBefore = replica === state.leader
    this.isHealed = false
    this.whole.closeUnsafe()
    const heard = state.lastReport(now)
    for (const member of this.ledBefore ? state.replicas : [replica]) {
      state.leaveAlone(member, now)
      // A leader looks once in a tick.
      const ticks = settings.syncLimit + (member === state.leader ? 1 : 0)
      this.due.set(member, heard + ticks * settings.tickTime)
    }
    return true
  }

  /** The link is back. */
  rejoin(): void {
    const { isolated, server } = this
    if (isolated === undefined) return
    const { state } = server
    const isElecting = isolated === state.leader && state.replicas.some(({ membership }) => membership === "down")
    const isUnaware = this.ledBefore && isolated !== state.leader && isolated.membership === "alone"
    // Those that have lost their leader elect one; the old one hears of it when it has stepped down.
    if (isElecting || isUnaware) {
      this.isHealed = true
      return
    }
    const back = state.replicas.filter(({ membership }) => membership !== "joined")
    // A leader goes on with what it knows: what has expired meanwhile is proposed already.
    if (isolated === state.leader) {
      isolated.membership = "joined"
      server.deliver(state.expireSessions(server.timestamps()))
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
      if (member.membership === "alone") this.giveUp(member, now)
      else this.elect(now)
    }
  }

  /** As if there had been none. */
  forget(): void {
    for (const replica of this.server.state.replicas) {
      replica.membership = "joined"
      replica.touched.clear()
    }
    this.end()
  }

  private giveUp(member: Member, now: number): void {
    this.due.delete(member)
    member.membership = "down"
    member.touched.clear()
    this.server.disconnect(member)
    if (member !== this.isolated) {
      this.due.set(member, now + this.server.settings.tickTime / 2)
    } else if (this.isHealed && member !== this.server.state.leader) {
      this.join([member])
      this.end()
    }
  }

  private elect(now: number): void {
    const { state } = this.server
    const majority = state.replicas.filter((replica) => replica !== this.isolated)
    for (const member of majority) this.due.delete(member)
    state.lead(majority.at(-1)!, now)
    this.join(majority)
    if (this.isHealed && this.isolated?.membership === "down") {
      this.join([this.isolated])
      this.end()
    }
  }

  /** They follow the log again, from its end on. */
  private join(members: ReadonlyArray<Member>): void {
    const { server } = this
    for (const member of members) {
      this.due.delete(member)
      member.membership = "joined"
    }
    for (const member of members) server.deliver(server.state.welcome(member, server.timestamps()))
    for (const connection of [...server.connections.values()]) {
      const { replica, session } = connection.client
      if (!members.includes(replica)) continue
      if (session !== undefined && server.state.sessions.get(session.id) !== session) connection.end()
      else connection.drain()
    }
  }

  private end(): void {
    this.isolated = undefined
    this.due.clear()
    this.whole.openUnsafe()
  }
}
