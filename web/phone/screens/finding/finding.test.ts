// The finding's form without a screen: what is missing, what the request says, who is suggested.
import { describe, expect, it } from 'vitest'
import type { Photo } from '../../capture/photo'
import { kindOf } from '../../capture/photo'
import { fresh, missing, placeOf, requestOf } from './fields'
import { shows, writtenHere } from './showing'
import { frequent, learned, suggested, type Unit } from './suggest'

const water: Unit = { id: 'w', name: '新宾满族自治县水务局', short_name: '新宾县水务局', kind: 'department', region: '210422000000' }
const cityWater: Unit = { id: 'cw', name: '抚顺市水务局', short_name: '市水务局', kind: 'department', region: '210400000000' }
const school: Unit = { id: 's', name: '新宾满族自治县教育局', short_name: '新宾县教育局', kind: 'department', region: '210422000000' }
const town: Unit = { id: 't', name: '上夹河镇人民政府', short_name: '上夹河镇', kind: 'government', region: '210422108000' }
const units = [cityWater, town, school, water]

function photo(accuracy_m: number | null, more: Partial<Photo> = {}): Photo {
  const position = accuracy_m === null ? null : { lat: 41.8, lng: 124.5, accuracy_m }
  const line = { id: 'p', sha256: 'f', size: 1, media_type: 'image/jpeg' as const, source: 'camera' as const, position }
  return { id: 'p', name: '1.jpg', line, thumb: '', size: 1, source: 'camera', at: 0, unfit: false, moment: null, was: null, removed_at: null, ...more }
}

describe('what is missing', () => {
  it('names everything at once, in the order of the form', () => {
    expect(missing(fresh(), [])).toEqual(['photos', 'topic', 'facts'])
  })
  it('a reason stands in for photos', () => {
    expect(missing({ ...fresh(), no_evidence_reason: '夜间', topic: '0304', facts: '断水' }, [])).toEqual([])
  })
  it('a photo that cannot be sent is not passed over in silence', () => {
    const fields = { ...fresh(), topic: '0304', facts: '断水' }
    expect(missing(fields, [photo(5), photo(5, { line: null, unfit: true })])).toEqual(['unfit'])
  })
  it('no unit reviews itself', () => {
    const unit = { id: 'w', name: '水务局' }
    const fields = { ...fresh(), topic: '0304', facts: '断水', responsible: [unit], lead: [unit] }
    expect(missing(fields, [photo(5)])).toEqual(['same_unit'])
  })
})

describe('the address of a finding', () => {
  it('is a form where it is written here, with or without a signal', () => {
    expect(writtenHere({ draft: true, begun: false, sent: false })).toBe(true)
    expect(writtenHere({ draft: false, begun: true, sent: false })).toBe(true)
  })
  it('is no form any more once it was handed over, nor for what this phone does not know', () => {
    expect(writtenHere({ draft: false, begun: true, sent: true })).toBe(false)
    expect(writtenHere({ draft: false, begun: false, sent: false })).toBe(false)
  })
  it('shows what the server has, whichever phone filed it', () => {
    expect(shows({ filed: true, sent: false, asked: 'told' })).toBe('filed')
    expect(shows({ filed: true, sent: true, asked: 'failed' })).toBe('filed')
  })
  it('waits for the server, or for a signal, before it may be a form', () => {
    expect(shows({ filed: false, sent: false, asked: 'not_yet' })).toBe('looking')
    expect(shows({ filed: false, sent: false, asked: 'failed' })).toBe('away')
    expect(shows({ filed: false, sent: true, asked: 'told' })).toBe('sent')
    expect(shows({ filed: false, sent: false, asked: 'told' })).toBe('form')
  })
})

it('the place is what the person asked for, else the most exact of the photos', () => {
  const asked = { lat: 1, lng: 2, accuracy_m: 90 }
  expect(placeOf({ ...fresh(), position: asked }, [photo(5)])).toBe(asked)
  expect(placeOf(fresh(), [photo(40), photo(8), photo(null)])?.accuracy_m).toBe(8)
  expect(placeOf(fresh(), [])).toBeNull()
})

it('danger to life goes first, and a reason that photos made needless is not sent', () => {
  const request = requestOf('f', 'v', '饮水安全', { ...fresh(), danger_to_life: true, no_evidence_reason: '夜间' }, [photo(5)])
  expect(request.urgent).toBe(true)
  expect(request.body.no_evidence_reason).toBe('')
  expect(request.path).toBe('/api/visits/v/findings/f')
})

it('a finding about somebody of a household names both, and of one without anybody the household alone', () => {
  const household = {
    id: 'h', region: '210422108204', village: '腰站村', household_number: '0012', category: 'illness' as const, head_name: '佟*义', population: 3,
  }
  const about = (more: object) => requestOf('f', 'v', '', { ...fresh(), household: { ...household, ...more } }, []).body
  expect(about({ person: { id: 'p', name: '佟*兰', relation: 'spouse' } })).toMatchObject({ household: 'h', person: 'p' })
  expect(about({})).toMatchObject({ household: 'h', person: null })
})

describe('who is suggested', () => {
  it('the county office whose matter it is; the city office to review', () => {
    expect(suggested(units, ['饮水安全'], '0304', {}, 'responsible')).toBe(water)
    expect(suggested(units, ['饮水安全'], '0304', {}, 'lead')).toBe(cityWater)
    expect(suggested(units, ['义务教育'], '0301', {}, 'responsible')).toBe(school)
  })
  it('whoever was named for it before, above that', () => {
    const habit = learned({}, 'responsible', '0304', ['t'])
    expect(suggested(units, ['饮水安全'], '0304', habit, 'responsible')).toBe(town)
  })
  it('nobody where nothing speaks for anybody', () => {
    expect(suggested(units, ['县级主体责任'], '0101', {}, 'responsible')).toBeNull()
    expect(suggested(units, ['饮水安全'], '', {}, 'responsible')).toBeNull()
  })
})

it('topics used often and lately come first', () => {
  expect(frequent(['0301', '0304', '0304', '0201'], 2)).toEqual(['0304', '0301'])
})

it('tells photos by their first bytes, whatever their name says', () => {
  const bytes = (text: string) => Uint8Array.from(text.padEnd(12, '\0'), (char) => char.charCodeAt(0))
  expect(kindOf(bytes('\xff\xd8\xff\xe0'))).toBe('image/jpeg')
  expect(kindOf(bytes('\x89PNG\r\n\x1a\n'))).toBe('image/png')
  expect(kindOf(bytes('RIFF\x00\x00\x00\x00WEBP'))).toBe('image/webp')
  expect(kindOf(bytes('\x00\x00\x00\x18ftypheic'))).toBeNull()
})
