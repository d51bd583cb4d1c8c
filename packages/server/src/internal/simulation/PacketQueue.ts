import * as Effect from "effect/Effect"

/** Bytes on their way, or the end of a connection. */
export type Packet<E> = { readonly arrivesAt: number } & (
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "End"; readonly reason: E }
)

/** What is on its way in one direction of a connection, in order. */
export class PacketQueue<E> {
  private readonly packets: Array<Packet<E>> = []
  private onParcel: (() => void) | undefined
  private arrival = 0
  private closed = false
  /** Bytes that have not arrived. */
  size = 0

  /** Nothing overtakes: a packet arrives no earlier than those before it. Virtual milliseconds. */
  push(bytes: Uint8Array, arrivesAt: number): void {
    if (this.closed) return
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.size += bytes.length
    this.packets.push({ _tag: "Bytes", bytes, arrivesAt: this.arrival })
    this.wake()
  }

  /** Nothing follows. */
  end(reason: E, arrivesAt: number): void {
    if (this.closed) return
    this.closed = true
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.packets.push({ _tag: "End", reason, arrivesAt: this.arrival })
    this.wake()
  }

  /** The oldest packet, which stays until `arrived`. */
  readonly next: Effect.Effect<Packet<E>> = Effect.callback((resume) => {
    const first = this.packets[0]
    if (first !== undefined) return resume(Effect.succeed(first))
    this.onParcel = () => resume(Effect.succeed(this.packets[0]!))
    return Effect.sync(() => {
      this.onParcel = undefined
    })
  })

  /** The oldest packet has arrived. */
  arrived(): void {
    const packet = this.packets.shift()
    if (packet?._tag === "Bytes") this.size -= packet.bytes.length
  }

  private wake(): void {
    const wake = this.onParcel
    this.onParcel = undefined
    wake?.()
  }
}
