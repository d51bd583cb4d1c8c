/**
 * Runs the same steps on several servers and says where their answers part.
 */
import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { encodeRequest } from "@effect-zookeeper/test-kit/RequestFrames"
import * as Result from "effect/Result"
import { RawClient, type Reply } from "./rawClient.ts"
import type { Step } from "./programs.ts"

type Reconnect = Extract<Step, { readonly _tag: "Reconnect" }>

interface Slot {
  client: RawClient
  id: bigint
  password: Uint8Array
}

/** One server and the sessions of a program on it. */
export class RecordingClient {
  private readonly port: number
  private readonly slots: Array<Slot> = []
  /** All sessions of this server by the order of their opening, so that owners can be compared. */
  private readonly names = new Map<bigint, string>()

  constructor(port: number) {
    this.port = port
  }

  /** The zxid of the last ping that was answered. */
  zxid = 0n

  async open(index: number): Promise<unknown> {
    const client = await RawClient.dial(this.port)
    const reply = await client.connect()
    if (reply?._tag !== "Answered") throw new Error(`port ${this.port}: no session`)
    const { passwd, sessionId, timeOut } = reply.response
    this.names.set(sessionId, `session ${this.names.size}`)
    this.slots[index] = { client, id: sessionId, password: passwd! }
    return timeOut
  }

  /** Does one step and then pings every session; all that was heard, in a form that can be compared. */
  async run(step: Step): Promise<unknown> {
    const heard =
      step._tag === "Request" ? await this.request(step.session, step.row, step.bytes) : await this.reconnect(step)
    const closed = await Promise.all(this.slots.map((slot) => this.ping(slot)))
    const events = this.slots.map(({ client }) =>
      client.events
        .splice(0)
        .map(({ path, state, type, zxid }) => `${zxid} ${type} ${state} ${path}`)
        .sort()
    )
    // A client that lost its connection reconnects; one that lost its session gets another.
    const revived: Array<unknown> = []
    for (const [index, slot] of this.slots.entries()) {
      if (closed[index] === "closed") revived.push(await this.revive(index, slot))
    }
    return { heard, closed, events, revived }
  }

  async end(): Promise<void> {
    for (const { client } of this.slots) {
      await client.request(Operations.closeSession, undefined)
      client.close()
    }
    this.slots.length = 0
  }

  private async request(session: number, row: Operation.Any, bytes: Uint8Array): Promise<unknown> {
    const { client } = this.slots[session]!
    client.frame(bytes)
    return this.meaning(row, await client.reply())
  }

  private async ping({ client }: Slot): Promise<unknown> {
    if (client.closed) return "closed"
    client.frame(encodeRequest(Operations.ping, undefined, Operations.Xid.ping))
    const reply = await client.reply()
    if (reply === undefined) return "closed"
    this.zxid = reply.zxid
    return { zxid: reply.zxid, err: reply.err }
  }

  private async reconnect({ how, lastZxidSeen, session, timeOut }: Reconnect): Promise<unknown> {
    const slot = this.slots[session]!
    if (how === "well" || how === "asBefore34") slot.client.close()
    const client = await RawClient.dial(this.port)
    const passwd = how === "wrongPassword" ? new Uint8Array(16).fill(7) : slot.password
    const readOnly = how === "asBefore34" ? undefined : false
    const reply = await client.connect({ sessionId: slot.id, passwd, timeOut, lastZxidSeen, readOnly })
    const welcome = reply && this.welcome(reply)
    if (reply?._tag === "Answered" && reply.response.timeOut > 0) {
      // The former client of the session is disconnected, and hears nothing else.
      while ((await slot.client.reply()) !== undefined);
      slot.client = client
      return welcome
    }
    // After a wrong password the owner has been sent away too, and comes back by itself.
    if (reply !== undefined) while ((await slot.client.reply()) !== undefined);
    const after = await client.next()
    client.close()
    return [welcome, after]
  }

  private async revive(index: number, slot: Slot): Promise<unknown> {
    slot.client.close()
    const client = await RawClient.dial(this.port)
    const reply = await client.connect({ sessionId: slot.id, passwd: slot.password })
    if (reply?._tag !== "Answered") throw new Error(`port ${this.port}: a session was refused`)
    if (reply.response.timeOut > 0) {
      slot.client = client
      return this.welcome(reply)
    }
    client.close()
    return [this.welcome(reply), await this.open(index)]
  }

  private welcome(reply: Handshake.ConnectReply): unknown {
    if (reply._tag === "Refused") return reply
    const { passwd, sessionId, ...rest } = reply.response
    return { ...rest, session: sessionId === 0n ? 0n : this.names.get(sessionId), passwordLength: passwd?.length }
  }

  private meaning(row: Operation.Any, reply: Reply | undefined): unknown {
    if (reply === undefined) return "closed"
    const { body, err, xid, zxid } = reply
    const header = { xid, zxid, err }
    if (err !== 0 && row !== Operations.multiRead) return { ...header, rest: body.remaining }
    if (body.remaining === 0) return header
    const response = Jute.attempt(row.response, body)
    if (Result.isFailure(response)) return { ...header, undecodable: response.failure.message }
    return { ...header, response: this.normal(response.success, ""), rest: body.remaining }
  }

  /** Without clocks, session ids, and the order of what has none. */
  private normal(value: unknown, key: string): unknown {
    if (key === "ctime" || key === "mtime") return value === 0 ? 0 : "some time"
    if (key === "ephemeralOwner") return value === 0n ? 0n : (this.names.get(value as bigint) ?? "somebody else")
    if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1")
    if (Array.isArray(value)) {
      const all = value.map((element) => this.normal(element, ""))
      return unordered.has(key) ? all.map((element) => JSON.stringify(element)).sort() : all
    }
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, this.normal(field, key)]))
  }
}

const unordered: ReadonlySet<string> = new Set(["children", "ephemerals", "clientInfo", "acl"])
