/** The JSON of the AdminServer, in the encoded form of the Schemas of answers. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import type { Word } from "../../ServerAnswers.ts"
import { confOf, mntrOf } from "./wordText.ts"

type Json = Readonly<Record<string, unknown>>

/** An object; undefined if the text is no JSON object. Integers that a number cannot hold are text. */
export const parseJson = (text: string): Json | undefined => {
  try {
    const value: unknown = JSON.parse(
      text.replaceAll(stringOrNumber, (found) => (isLong(found) ? `"${found}"` : found))
    )
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const fromJson: Readonly<Record<Word, (json: Json) => unknown>> = {
  ruok: () => "imok",
  isro: (json) => (json["read_only"] === true ? "ro" : json["read_only"] === false ? "rw" : json["read_only"]),
  srvr: (json) => summaryOf(json),
  stat: (json) => ({ ...summaryOf(json), clients: listOf(json["connections"]).map(connectionOf) }),
  cons: (json) =>
    [...listOf(json["connections"]), ...listOf(json["secure_connections"])].map((connection) =>
      Object.assign({}, connectionOf(connection), sessionOf(connection))
    ),
  mntr: (json) => mntrOf(valuesOf(json).map(([name, value]) => [`zk_${name}`, value])),
  conf: (json) => confOf(valuesOf(json).map(([name, value]) => [camel(name), value])),
  envi: (json) => Object.fromEntries(valuesOf(json)),
  dirs: (json) => ({ data: toNumber(json["datadir_size"]), log: toNumber(json["logdir_size"]) }),
  wchs: (json) => ({
    connections: json["num_connections"],
    paths: json["num_paths"],
    watches: json["num_total_watches"]
  }),
  wchp: (json) =>
    entriesOf(json["path_to_session_ids"]).map(([path, sessions]) => ({ path, sessions: arrayOf(sessions).map(hex) })),
  wchc: (json) =>
    entriesOf(json["session_id_to_watched_paths"]).map(([session, paths]) => ({
      session: hex(session),
      paths: arrayOf(paths)
    })),
  dump: (json) => ({
    sessions: [
      ...new Set(entriesOf(json["expiry_time_to_session_ids"]).flatMap(([, sessions]) => arrayOf(sessions).map(hex)))
    ],
    ephemerals: entriesOf(json["session_id_to_ephemeral_paths"]).map(([session, paths]) => ({
      session: hex(session),
      paths: arrayOf(paths)
    }))
  })
}

// ---- internal

/** Strings too, so that what they hold is left alone. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const isLong = (found: string): boolean => /^-?\d+$/.test(found) && !Number.isSafeInteger(Number(found))

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const arrayOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const listOf = (value: unknown): ReadonlyArray<Json> => arrayOf(value).filter(isObject)

const entriesOf = (value: unknown): ReadonlyArray<[string, unknown]> => (isObject(value) ? Object.entries(value) : [])

const toNumber = (value: unknown): unknown => (typeof value === "string" ? Number(value) : value)

/** The fields of the answer itself, as text. */
const valuesOf = (json: Json): ReadonlyArray<readonly [name: string, value: string]> =>
  Object.entries(json).flatMap(([name, value]) =>
    name === "command" || name === "error" || value === null ? [] : [[name, String(value)] as const]
  )

/** 64 bits in hexadecimal, from the decimal text or number of JSON; anything else as it is. */
const hex = (value: unknown): unknown => {
  const text = String(value)
  return /^-?\d+$/.test(text) ? Hex64.format(BigInt(text)) : value
}

/** `client_port` as `clientPort`. */
const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const summaryOf = (json: Json): Json => {
  const stats = isObject(json["server_stats"]) ? json["server_stats"] : {}
  const proposals = json["proposal_stats"]
  return {
    version: json["version"],
    readOnly: json["read_only"],
    latency: { min: stats["min_latency"], avg: stats["avg_latency"], max: stats["max_latency"] },
    received: toNumber(stats["packets_received"]),
    sent: toNumber(stats["packets_sent"]),
    connections: stats["num_alive_client_connections"],
    outstanding: stats["outstanding_requests"],
    zxid: hex(stats["last_processed_zxid"]),
    mode: stats["server_state"],
    nodeCount: json["node_count"],
    ...(isObject(proposals)
      ? {
          proposalSizes: {
            last: proposals["last_buffer_size"],
            min: proposals["min_buffer_size"],
            max: proposals["max_buffer_size"]
          }
        }
      : {})
  }
}

const connectionOf = (connection: Json): Json => ({
  address: String(connection["remote_socket_address"]).replace(/^.*\//, ""),
  queued: connection["outstanding_requests"],
  received: toNumber(connection["packets_received"]),
  sent: toNumber(connection["packets_sent"])
})

const sessionOf = (connection: Json): Json => {
  const session = connection["session_id"]
  if (session === undefined || session === 0) return {}
  const { established, last_operation: last, last_response_time: response } = connection
  return {
    session: hex(session),
    ...(last === null || last === "null" ? {} : { lastOperation: last }),
    ...(typeof established === "string" || typeof established === "number"
      ? { established: isoOf(established) ?? String(established) }
      : {}),
    sessionTimeout: connection["session_timeout"],
    lastZxid: hex(connection["last_zxid"]),
    // 0 before the first answer.
    ...(typeof response === "number" && response > 0 ? { lastResponse: response } : {}),
    lastLatency: connection["last_latency"],
    minLatency: connection["min_latency"],
    avgLatency: connection["avg_latency"],
    maxLatency: connection["max_latency"]
  }
}

const isoOf = (time: string | number): string | undefined => {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
