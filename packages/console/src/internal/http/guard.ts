/** The requests that are let in: those of a page of this server, opened by the link with the token. */
import * as Result from "effect/Result"
import { subprotocol, tokenSubprotocol } from "../../Protocol.ts"

/** A refusal, as the answer to the request. */
export interface Refusal {
  readonly status: 401 | 403 | 421
  readonly text: string
}

type Headers = Readonly<Record<string, string | undefined>>

/** The names by which a browser on this machine reaches a port of it. A name that leads here by DNS is none of them. */
export const hostsOf = (port: number): ReadonlySet<string> =>
  new Set(["127.0.0.1", "localhost", "[::1]"].map((host) => (port === 80 ? host : `${host}:${port}`)))

/** The host of a request, if it is one of this server. */
export const checkHost = (headers: Headers, hosts: ReadonlySet<string>): Result.Result<string, Refusal> => {
  const host = headers["host"]?.toLowerCase()
  return host !== undefined && hosts.has(host)
    ? Result.succeed(host)
    : Result.fail({ status: 421, text: "this server answers by its own address alone\n" })
}

/** A request that a page of another origin has made is refused. Requests that no page has made have no such headers. */
export const checkOrigin = (headers: Headers, host: string): Result.Result<void, Refusal> => {
  const { origin } = headers
  const site = headers["sec-fetch-site"]
  const isForeign =
    (origin !== undefined && origin !== `http://${host}`) ||
    (site !== undefined && site !== "same-origin" && site !== "none")
  return isForeign ? Result.fail({ status: 403, text: "this is for the pages of this server alone\n" }) : Result.void
}

/** A WebSocket is opened by a page, which has an origin, with the token in a subprotocol. */
export const checkSocket = (headers: Headers, host: string, token: string): Result.Result<void, Refusal> => {
  if (headers["origin"] === undefined) {
    return Result.fail({ status: 403, text: "this is for the pages of this server alone\n" })
  }
  const foreign = checkOrigin(headers, host)
  if (Result.isFailure(foreign)) return foreign
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((text) => text.trim())
  const given = offered.find((text) => text.startsWith(tokenSubprotocol))?.slice(tokenSubprotocol.length)
  // The server chooses the first one that is offered, and the token must not be it.
  return offered[0] === subprotocol && isEqual(given, token) ? Result.void : Result.fail(unknownToken)
}

/** Whether the token is that of this run. */
export const checkBearer = (headers: Headers, token: string): Result.Result<void, Refusal> =>
  isEqual(/^Bearer (\S+)$/.exec(headers["authorization"] ?? "")?.[1], token) ? Result.void : Result.fail(unknownToken)

// ---- internal

const unknownToken: Refusal = {
  status: 401,
  text: "the token is missing or old: open the link that `zk ui` has printed\n"
}

/** It takes the same time wherever they differ. */
const isEqual = (given: string | undefined, token: string): boolean => {
  if (given === undefined || given.length !== token.length) return false
  let difference = 0
  for (let index = 0; index < token.length; index++) difference |= given.charCodeAt(index) ^ token.charCodeAt(index)
  return difference === 0
}
