import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import type * as Scheduler from "effect/Scheduler"
import { type Packet, PacketQueue } from "./PacketQueue.ts"

/** The network of a connection: delays, splitting, faults. */
interface NetworkConditions {
  /** Virtual milliseconds. */
  readonly now: () => number
  /** How long the next packet travels, in virtual milliseconds. */
  readonly latency: () => number
  /** Cuts a write into packets. */
  readonly split: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>
  /** Whether the bytes that arrive now are merged with those that wait. */
  readonly merge: () => boolean
  /** Waits while nothing gets through in a direction. */
  readonly passable: (connection: SimulatedConnection, direction: "up" | "down") => Effect.Effect<void>
  /** How many of the next bytes get through before the connection is cut; undefined if it is not cut. */
  readonly cutWithin: (connection: SimulatedConnection, direction: "up" | "down", length: number) => number | undefined
}

/** With more bytes than this on their way, a client's writes wait. */
const WINDOW = 65_536

/** One connection between a client and a server: both ends, and the bytes between them. */
export class SimulatedConnection {
  readonly client: string
  readonly server: string
  private readonly name: string
  private readonly conditions: NetworkConditions
  private readonly up = new PacketQueue<undefined>()
  private readonly down = new PacketQueue<TransportError>()
  private inbox: Array<Uint8Array> = []
  private ended: TransportError | undefined
  private onReadable: (() => void) | undefined
  private readonly onWritable = new Set<() => void>()
  private onCut: (() => void) | undefined
  /** The dispatcher of the client's process, so that the client hears of events in its own turns. */
  private readonly dispatcher: Scheduler.SchedulerDispatcher

  constructor(options: {
    readonly client: string
    readonly server: string
    readonly name: string
    readonly conditions: NetworkConditions
    readonly dispatcher: Scheduler.SchedulerDispatcher
  }) {
    this.client = options.client
    this.server = options.server
    this.name = options.name
    this.conditions = options.conditions
    this.dispatcher = options.dispatcher
  }

  // ---------------------------------------------------------------------------
  // the client's end
  // ---------------------------------------------------------------------------

  readonly connection: Connection = {
    pull: Effect.callback((resume) => {
      const isReadable = () => this.inbox.length > 0 || this.ended !== undefined
      if (isReadable()) return resume(this.take())
      this.onReadable = () => {
        if (!isReadable()) return
        this.onReadable = undefined
        resume(this.take())
      }
      return Effect.sync(() => {
        this.onReadable = undefined
      })
    }),
    write: (bytes) =>
      Effect.suspend(() => {
        if (this.ended !== undefined) return Effect.fail(this.error("Write"))
        for (const part of this.conditions.split(bytes.slice())) this.up.push(part, this.arrival())
        return this.up.size > WINDOW ? this.writable : Effect.void
      }),
    defer: (task) => this.dispatcher.scheduleTask(task, 0)
  }

  private take(): Effect.Effect<ReadonlyArray<Uint8Array>, TransportError> {
    if (this.inbox.length === 0 && this.ended !== undefined) return Effect.fail(this.ended)
    const chunks = this.inbox
    this.inbox = []
    return Effect.succeed(chunks)
  }

  private readonly writable: Effect.Effect<void, TransportError> = Effect.callback((resume) => {
    const look = () => {
      if (this.ended === undefined && this.up.size > WINDOW) return
      this.onWritable.delete(look)
      resume(this.ended === undefined ? Effect.void : Effect.fail(this.error("Write")))
    }
    this.onWritable.add(look)
    return Effect.sync(() => {
      this.onWritable.delete(look)
    })
  })

  /** The client closes the connection. The server hears of it after the bytes that were sent before. */
  leave(): void {
    this.ended ??= this.error("Closed")
    this.up.end(undefined, this.arrival())
  }

  /** Ends the connection: both ends hear of it at once, and bytes on their way are lost. */
  cut(): void {
    this.ended ??= this.error("Read")
    this.inbox = []
    this.tellClient()
    this.onCut?.()
  }

  private tellClient(): void {
    this.dispatcher.scheduleTask(() => {
      this.onReadable?.()
      for (const look of [...this.onWritable]) look()
    }, 0)
  }

  private error(reason: TransportError["reason"]): TransportError {
    return new TransportError({ server: this.name, reason })
  }

  private arrival(): number {
    return this.conditions.now() + this.conditions.latency()
  }

  // ---------------------------------------------------------------------------
  // the network between
  // ---------------------------------------------------------------------------

  /** Connects to the server and carries bytes both ways until one end has heard that the other is gone, or until it is cut. */
  carry(dial: ReturnType<Transport["Service"]["connect"]>, onDialled: () => void): Effect.Effect<void, TransportError> {
    return Effect.scoped(
      Effect.flatMap(dial, (server) => {
        onDialled()
        return Effect.raceAllFirst([this.carryUp(server), this.carryDown, this.receive(server), this.untilCut])
      })
    )
  }

  /** Drops all bytes: there is no server at the other end. */
  get carryNothing(): Effect.Effect<void> {
    const swallow: Effect.Effect<void> = Effect.flatMap(this.travel(this.up, "up"), (packet) =>
      packet._tag === "End" ? Effect.void : swallow
    )
    return Effect.raceFirst(swallow, this.untilCut)
  }

  private readonly untilCut: Effect.Effect<void> = Effect.callback((resume) => {
    this.onCut = () => resume(Effect.void)
  })

  private carryUp(server: Connection): Effect.Effect<void> {
    return Effect.flatMap(this.travel(this.up, "up"), (packet) => {
      if (packet._tag === "End") return Effect.void
      const { bytes } = packet
      const within = this.conditions.cutWithin(this, "up", bytes.length)
      const delivered = within === undefined ? bytes : bytes.subarray(0, within)
      // A server that has gone accepts no bytes; the client hears of it from the other direction.
      const written = delivered.length === 0 ? Effect.void : Effect.ignore(server.write(delivered))
      return Effect.andThen(
        written,
        Effect.suspend(() => {
          if (within !== undefined) {
            this.cut()
            return Effect.never
          }
          if (this.onWritable.size > 0) this.tellClient()
          return this.carryUp(server)
        })
      )
    })
  }

  private receive(server: Connection): Effect.Effect<never> {
    return Effect.matchEffect(server.pull, {
      onFailure: (error) => {
        this.down.end(error, this.arrival())
        return Effect.never
      },
      onSuccess: (chunks) => {
        for (const chunk of chunks) {
          for (const part of this.conditions.split(chunk)) this.down.push(part, this.arrival())
        }
        return this.receive(server)
      }
    })
  }

  private readonly carryDown: Effect.Effect<void> = Effect.suspend(() =>
    Effect.flatMap(this.travel(this.down, "down"), (packet) => {
      if (packet._tag === "End") {
        this.ended ??= packet.reason
        this.tellClient()
        return Effect.void
      }
      const within = this.conditions.cutWithin(this, "down", packet.bytes.length)
      this.arrive(within === undefined ? packet.bytes : packet.bytes.subarray(0, within))
      if (within === undefined) return this.carryDown
      // Bytes that have arrived can still be read.
      this.ended ??= this.error("Read")
      this.tellClient()
      this.onCut?.()
      return Effect.never
    })
  )

  private arrive(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.ended !== undefined) return
    const last = this.inbox.at(-1)
    if (last !== undefined && this.conditions.merge()) {
      const merged = new Uint8Array(last.length + bytes.length)
      merged.set(last)
      merged.set(bytes, last.length)
      this.inbox[this.inbox.length - 1] = merged
    } else {
      this.inbox.push(bytes)
    }
    this.tellClient()
  }

  /** The next packet of a direction, when it has arrived. */
  private travel<E>(pipe: PacketQueue<E>, direction: "up" | "down"): Effect.Effect<Packet<E>> {
    return Effect.flatMap(pipe.next, (packet) => {
      const left = packet.arrivesAt - this.conditions.now()
      return Effect.andThen(
        left > 0 ? Effect.sleep(left) : Effect.void,
        this.conditions.passable(this, direction)
      ).pipe(
        Effect.map(() => {
          pipe.arrived()
          return packet
        })
      )
    })
  }
}
