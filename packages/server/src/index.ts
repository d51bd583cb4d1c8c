export * as EmbeddedServer from "./EmbeddedServer.ts"
export * as Fault from "./Fault.ts"

export * as ListenError from "./ListenError.ts"

export * as ServerTls from "./ServerTls.ts"

export * as SimulatedNetwork from "./SimulatedNetwork.ts"
export * as Simulation from "./Simulation.ts"

export * as TestHooks from "./TestHooks.ts"
