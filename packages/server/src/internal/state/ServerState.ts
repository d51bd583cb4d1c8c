/**
 * The state of a server or of an ensemble: one log, the replicas that follow it, and the sessions. It has no socket, clock
 * or fiber: each event is a call with the time as an argument, and the outcome is a value.
 *
 * @since 0.1.0
 */
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import * as AccessControl from "./AccessControl.ts"
import type { Change } from "./Transaction.ts"
import { DataTree, type SnapshotTree } from "./DataTree.ts"
import type { Rules } from "../requests/Requester.ts"
import { type Delivery, Replica } from "./Replica.ts"
import { type Session, Sessions } from "./Sessions.ts"
import { Watches } from "./Watches.ts"

/**
 * The time of a call, by both clocks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timestamps {
  /** Milliseconds since 1970, for the times in Stats. */
  readonly wall: number
  /** Milliseconds of a clock that is never set, for deadlines. */
  readonly monotonic: number
}

/**
 * The options of a server, with their defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings extends Rules {
  /** Milliseconds. */
  readonly tickTime: number
  /** How many ticks a server goes on after it has lost the others. */
  readonly syncLimit: number
  /** Milliseconds. */
  readonly minSessionTimeout: number
  /** Milliseconds. */
  readonly maxSessionTimeout: number
  /** `user:hash` of the super user. */
  readonly superDigest: string | undefined
  /** Whether replicas that are too few serve reads. */
  readonly readOnlyMode: boolean
  /** Whether a read-only replica opens sessions that only it knows. */
  readonly localSessions: boolean
}

/**
 * A connection as the state sees it: its replica, its identities, its session.
 *
 * @category models
 * @since 0.1.0
 */
export class Client {
  readonly replica: Replica<Client>
  /** The first one is the address. */
  readonly identities: Array<AccessControl.Identity>
  session: Session<Client> | undefined

  constructor(replica: Replica<Client>, identities: ReadonlyArray<AccessControl.Identity>) {
    this.replica = replica
    this.identities = [...identities]
  }
}

/**
 * The reply to a request. Its zxid is that of the replica, except for auth, ping and refusals.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
  readonly row: Operation.Any | undefined
  /** Undefined if there is no body. */
  readonly response: unknown
}

/**
 * The effects of a call on connections. Events are sent before the reply, and connections end last.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  readonly events: Array<Delivery<Client>>
  reply: Reply | undefined
  readonly toDisconnect: Set<Client>
}

/**
 * An outcome without effects, to be filled.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOutcome = (): Outcome => ({ events: [], reply: undefined, toDisconnect: new Set() })

/**
 * The state of an embedded server at one moment, for assertions in tests and for `restore`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  /** The last transaction. */
  readonly zxid: bigint
  /** All znodes. */
  readonly tree: SnapshotTree
  /** All sessions that the ensemble knows; `timeout` in milliseconds. */
  readonly sessions: ReadonlyArray<{ readonly id: bigint; readonly timeout: number }>
}

/**
 * The state of an ensemble, or of a single server.
 *
 * @category models
 * @since 0.1.0
 */
export class ServerState {
  readonly settings: Settings
  readonly sessions: Sessions<Client>
  readonly replicas: ReadonlyArray<Replica<Client>>
  /** The replica on which writes are checked; it is always up to date. The first one, until there is an election. */
  leader: Replica<Client>
  /** The last transaction of the log. */
  zxid = 0n

  constructor(settings: Settings, options: { readonly replicas: number; readonly startedAt: number }) {
    this.settings = settings
    this.sessions = new Sessions(settings.tickTime, 1, options.startedAt)
    this.replicas = Array.from(
      { length: options.replicas },
      (_, index) =>
        new Replica<Client>(index + 1, new Watches(settings.release.watchModesCoexist), (client, touch) =>
          AccessControl.allows(touch.acl, Acl.Perms.READ, client.identities)
        )
    )
    this.leader = this.replicas[0]!
  }

  // ---------------------------------------------------------------------------
  // the ensemble
  // ---------------------------------------------------------------------------

  /** Whether transactions can be added to the log. */
  get hasQuorum(): boolean {
    return this.leader.membership === "joined"
  }

  /** Whether the leader hears of a server. It does not hear of one that is cut off. */
  isHeard(replica: Replica<Client>): boolean {
    return replica === this.leader || replica.membership === "joined"
  }

  /** When the servers last reported signs of life to the leader, which they do every half tick. */
  lastReport(now: number): number {
    const half = this.settings.tickTime / 2
    return Math.floor(now / half) * half
  }

  /** Takes a sign of life of a session at a server. */
  touch(session: Session<Client>, replica: Replica<Client>, now: number): void {
    if (replica === this.leader || session.local) this.sessions.touch(session, now)
    else if (!this.isHeard(replica)) replica.touched.add(session)
    else this.sessions.touchLater(session, this.lastReport(now) + this.settings.tickTime / 2, replica)
  }

  /** Cuts a server off from the others, which do not get the signs of life that it has not reported. */
  leaveAlone(replica: Replica<Client>, now: number): void {
    replica.membership = "alone"
    for (const session of this.sessions.loseReports(replica, now)) replica.touched.add(session)
  }

  /** Joins a server with the others again: it catches up, and reports signs of life. */
  welcome(replica: Replica<Client>, time: Timestamps): Outcome {
    const outcome = makeOutcome()
    replica.catchUp(outcome.events, replica.readOnly ? Infinity : 0)
    for (const session of replica.touched) {
      if (this.sessions.get(session.id) === session) this.sessions.touch(session, time.monotonic)
    }
    replica.touched.clear()
    return outcome
  }

  /** Makes a replica the leader, in a new epoch. */
  lead(replica: Replica<Client>, now: number): void {
    this.leader = replica
    this.zxid = nextEpoch(this.zxid)
    this.sessions.renew(now)
  }

  // ---------------------------------------------------------------------------
  // the log and the sessions
  // ---------------------------------------------------------------------------

  /** Adds to the log, which the replicas follow. `at` answers the request, and so has caught up when this returns. */
  commit(
    changes: ReadonlyArray<Change>,
    at: Replica<Client>,
    time: Timestamps,
    outcome: Outcome
  ): ReadonlyArray<Stat | undefined> {
    const transaction = { zxid: ++this.zxid, time: time.wall, changes }
    const stats = this.leader.apply(transaction, outcome.events)
    for (const replica of this.replicas) if (replica !== this.leader) replica.follow(transaction, outcome.events)
    at.catchUp(outcome.events)
    return stats
  }

  /** Ends a session, and deletes its ephemeral znodes in one transaction. */
  endSession(session: Session<Client>, time: Timestamps, outcome: Outcome): void {
    this.sessions.close(session.id)
    if (session.local) return
    const changes = this.leader.tree.ephemeralsOf(session.id).map((path): Change => ({ _tag: "Delete", path }))
    this.commit(changes, session.client?.replica ?? this.leader, time, outcome)
  }

  /** Ends all sessions without a sign of life in time. */
  expireSessions(time: Timestamps): Outcome {
    const outcome = makeOutcome()
    if (!this.hasQuorum) return outcome
    for (const session of this.sessions.expired(time.monotonic)) this.expire(session, time, outcome)
    return outcome
  }

  /** Ends a session as its timeout would. */
  expire(session: Session<Client>, time: Timestamps, outcome: Outcome): void {
    this.endSession(session, time, outcome)
    const { client } = session
    if (client !== undefined && this.isHeard(client.replica)) outcome.toDisconnect.add(client)
  }

  /** Forgets a connection that has ended. Its session waits for another one. */
  disconnect(client: Client): void {
    client.replica.watches.drop(client)
    if (client.session?.client === client) client.session.client = undefined
  }

  /** Deletes containers that have become empty and znodes whose time to live is over, each in a transaction. */
  collect(time: Timestamps): Outcome {
    const outcome = makeOutcome()
    if (!this.hasQuorum) return outcome
    const { tree } = this.leader
    for (const path of [...tree.collectable]) {
      const node = tree.get(path)
      if (node === undefined || node.children.size > 0) continue
      const isDue =
        StoredZnode.kindOf(node.owner) === "container"
          ? node.cversion > 0
          : time.wall - node.mtime > StoredZnode.ttlOf(node.owner)
      if (isDue) this.commit([{ _tag: "Delete", path }], this.leader, time, outcome)
    }
    return outcome
  }

  /** Applies the transactions that a changed setting of a replica no longer holds back. */
  rejoin(replica: Replica<Client>): Outcome {
    const outcome = makeOutcome()
    replica.catchUp(outcome.events, replica.readOnly ? Infinity : replica.lag)
    return outcome
  }

  snapshot(): Snapshot {
    return {
      zxid: this.zxid,
      tree: DataTree.copyOf(this.leader.tree),
      sessions: this.sessions.all.filter(({ local }) => !local).map(({ id, timeout }) => ({ id, timeout }))
    }
  }

  /**
   * Goes back to a snapshot, of this server or another one. Later sessions are gone, and those of the snapshot exist again.
   * The zxid continues in a new epoch, as with a new leader, so that clients that have seen more than the snapshot are not
   * refused, and no znode has a higher zxid than one that is created later.
   */
  restore(snapshot: Snapshot, time: Timestamps): Outcome {
    const outcome = makeOutcome()
    for (const session of this.sessions.all) {
      if (session.client !== undefined) outcome.toDisconnect.add(session.client)
      this.sessions.close(session.id)
    }
    for (const { id, timeout } of snapshot.sessions) this.sessions.adopt(id, timeout, time.monotonic)
    this.zxid = nextEpoch(snapshot.zxid > this.zxid ? snapshot.zxid : this.zxid)
    for (const replica of this.replicas) replica.replace(DataTree.copyOf(snapshot.tree), this.zxid)
    return outcome
  }
}

// ---- internal

/** The first zxid after an election: its upper half counts elections, its lower half the transactions since then. */
const nextEpoch = (zxid: bigint): bigint => ((zxid >> 32n) + 1n) << 32n
