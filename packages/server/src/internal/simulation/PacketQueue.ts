import * as Effect from "effect/Effect"

/** Bytes on their way, or the end of a connection. */
export type Packet<E> = { readonly arrivesAt: number } & (
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "End"; readonly reason: E }
)

/** The packets on their way in one direction of a connection, in order. */
export class PacketQueue<E> {
  private readonly packets: Array<Packet<E>> = []
  private onPacket: (() => void) | undefined
  private arrival = 0
  private closed = false
  /** How many bytes have not arrived yet. */
  size = 0

  /** Adds a packet, which arrives no earlier than those before it. `arrivesAt` is in virtual milliseconds. */
  push(bytes: Uint8Array, arrivesAt: number): void {
    if (this.closed) return
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.size += bytes.length
    this.packets.push({ _tag: "Bytes", bytes, arrivesAt: this.arrival })
    this.wake()
  }

  /** Ends the direction, after the packets before. */
  end(reason: E, arrivesAt: number): void {
    if (this.closed) return
    this.closed = true
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.packets.push({ _tag: "End", reason, arrivesAt: this.arrival })
    this.wake()
  }

  /** The oldest packet, which stays in the queue until `arrived`. */
  readonly next: Effect.Effect<Packet<E>> = Effect.callback((resume) => {
    const first = this.packets[0]
    if (first !== undefined) return resume(Effect.succeed(first))
    this.onPacket = () => resume(Effect.succeed(this.packets[0]!))
    return Effect.sync(() => {
      this.onPacket = undefined
    })
  })

  /** Removes the oldest packet, which has arrived. */
  arrived(): void {
    const packet = this.packets.shift()
    if (packet?._tag === "Bytes") this.size -= packet.bytes.length
  }

  private wake(): void {
    const wake = this.onPacket
    this.onPacket = undefined
    wake?.()
  }
}
