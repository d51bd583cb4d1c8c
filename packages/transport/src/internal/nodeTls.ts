/**
 * Node's TLS and cryptography, which are loaded when they are first used: most programs connect by plain TCP, and these
 * modules take longer to load than the rest of the client.
 */
import type * as Crypto from "node:crypto"
import type * as Tls from "node:tls"

export const tls = (): typeof Tls => process.getBuiltinModule("node:tls")

export const crypto = (): typeof Crypto => process.getBuiltinModule("node:crypto")
