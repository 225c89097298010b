// Short names for what the API tells of rectifications.
import type { Answer } from '@/shared/client'

export type Detail = Answer<'get', '/api/rectifications/{item_id}'>
export type Row = Answer<'get', '/api/rectifications'>['items'][number]
export type Move = Detail['moves'][number]
export type Need = Move['needs'][number]
export type Part = Detail['units'][number]
export type Status = Row['status']
export type Verb = Move['verb']
export type File = Detail['evidence'][number]
export type Decision = Answer<'get', '/api/decisions'>['items'][number]
