/**
 * auth and sasl, which a server answers before all other requests, and with the zxid 0.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Identity } from "../state/AccessControl.ts"
import { type Answer, answered, type Context, failed } from "./Handler.ts"

/** Undefined for a malformed request, which ends the connection without a reply. */
export const authenticate = (context: Context, opCode: number, body: JuteReader): Answer | undefined =>
  opCode === Operations.auth.opCode ? auth(context, body) : sasl(body)

const auth = ({ client, outcome, state }: Context, body: JuteReader): Answer | undefined => {
  const request = Jute.attempt(Operations.auth.request, body)
  if (Result.isFailure(request)) return undefined
  const { auth: credentials, scheme } = request.success
  // The address is known already.
  if (scheme === "ip") return answered(Operations.auth, undefined)
  if (scheme !== "digest" || credentials === null) {
    outcome.toDisconnect.add(client)
    return failed(Operations.auth, codes.AuthFailed)
  }
  const id = Acl.digestIdOf(Redacted.make(credentials))
  if (id === state.settings.superDigest) add(client.identities, { scheme: "super", id: "" })
  add(client.identities, { scheme: "digest", id })
  return answered(Operations.auth, undefined)
}

const add = (identities: Array<Identity>, identity: Identity): void => {
  if (!identities.some(({ id, scheme }) => scheme === identity.scheme && id === identity.id)) identities.push(identity)
}

/** This server has no SASL, which a null token tells the client. */
const sasl = (body: JuteReader): Answer | undefined =>
  Result.isSuccess(Jute.attempt(Operations.sasl.request, body)) ? answered(Operations.sasl, { token: null }) : undefined
