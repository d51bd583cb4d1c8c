/** SASL, which is loaded where credentials name a user of it. */
export { Sasl } from "@effect-zookeeper/client"
