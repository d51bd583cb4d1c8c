export * as InvalidArgument from "./InvalidArgument.ts"
