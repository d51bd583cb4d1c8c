export * as ServerAddress from "./ServerAddress.ts"
export * as Transport from "./Transport.ts"
export * as TransportError from "./TransportError.ts"
