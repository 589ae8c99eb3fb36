/** What the API document says, as types: which paths there are, what goes in and what comes out. */
import type { paths } from './schema'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths]
export type Operation<P extends keyof paths, M extends Method> = paths[P][M & keyof paths[P]]

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never
type Done<R> = R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : never

export type Given<O> = O extends { responses: infer R } ? Json<Done<R>> : never
export type Body<O> = O extends { requestBody: infer B } ? Json<B> : undefined
type PathValues<O> = O extends { parameters: { path: infer V } } ? V : undefined
type QueryValues<O> = O extends { parameters: { query?: infer V } } ? V : undefined

type Part<Name extends string, T> = [T] extends [undefined] ? object : undefined extends T ? { [N in Name]?: T } : { [N in Name]: T }

export type Options<O> = Part<'path', PathValues<O>> &
  Part<'body', Body<O>> & {
    readonly query?: QueryValues<O>
    /** The Idempotency-Key: repeat it to try the same thing again; a fresh one is made when absent. */
    readonly key?: string
    /** Sign the request with the device's key (DPoP). */
    readonly proved?: boolean
    /** Only give an answer that differs from this one (If-None-Match). */
    readonly unless?: string
  }
