/**
 * Members that do not run for a while, and keep their state: processes that were stopped, and are started again.
 *
 * - A member that stops drops its connections. Their watches are gone, and their sessions live on.
 * - While more than half of the members run, these go on. If the leader was among those that stopped, the others drop their
 *   connections, too, and elect the member with the highest id. The new leader gives every session its full timeout, and begins
 *   a new epoch of zxids.
 * - Otherwise those that run refuse clients, or serve reads with the option `readOnlyMode`, and no session ends, until enough of
 *   the others are started. Then there is an election as above. A server that is alone needs none: it gives every session its
 *   full timeout, and its zxids go on.
 *
 * Real servers notice and elect within a second or so; here that takes no time.
 */
import type { Replica } from "../state/Replica.ts"
import type { Client } from "../state/ServerState.ts"
import type { PartitionedServer } from "./Partition.ts"

type Member = Replica<Client>

export class StoppedMembers {
  private readonly server: PartitionedServer
  /** Those that are read-only because they are too few. */
  private readonly tooFew = new Set<Member>()

  constructor(server: PartitionedServer) {
    this.server = server
  }

  stop(members: ReadonlyArray<Member>): void {
    for (const member of members) {
      member.membership = "stopped"
      this.server.state.sessions.closeLocal(member)
      this.server.disconnect(member)
    }
    this.settle()
  }

  start(members: ReadonlyArray<Member>): void {
    for (const member of members) if (member.membership === "stopped") member.membership = "down"
    this.settle()
  }

  /** The members that run serve clients, if they are enough. */
  private settle(): void {
    const { server } = this
    const { state } = server
    const running = state.replicas.filter(({ membership }) => membership !== "stopped")
    if (running.length * 2 <= state.replicas.length) {
      for (const member of running) this.lose(member)
      return
    }
    for (const member of this.tooFew) member.readOnly = false
    this.tooFew.clear()
    const now = server.timestamps()
    if (!state.hasQuorum) {
      for (const member of running) server.disconnect(member)
      if (state.replicas.length > 1) state.lead(running.at(-1)!, now.monotonic)
      else state.sessions.renew(now.monotonic)
    }
    for (const member of running) {
      const isBack = member.membership !== "joined"
      member.membership = "joined"
      if (isBack || member === state.leader) server.deliver(state.welcome(member, now))
    }
  }

  /** A member finds that there are too few of them. */
  private lose(member: Member): void {
    if (this.server.settings.readOnlyMode && !member.readOnly) {
      member.readOnly = true
      this.tooFew.add(member)
    }
    member.membership = "down"
    this.server.disconnect(member)
  }
}
