// Golden facts of the transform (domain.md i.2, i.3), and the ellipsoid against what geographers publish.
import { describe, expect, it } from 'vitest'
import { MAP_APPS } from './maps'
import { distanceM, fromWgs84, toWgs84, within, type Point } from './places'

// Shift in metres from WGS-84 to GCJ-02 and to BD-09, measured elsewhere.
const PLACES: [string, Point, number, number][] = [
  ['江门蓬江', { lat: 22.595, lng: 113.0785 }, 634.5, 1281.5],
  ['泾县', { lat: 30.688, lng: 118.4198 }, 566.1, 1213.2],
  ['西吉', { lat: 35.9638, lng: 105.729 }, 365.4, 1154.9],
  ['抚顺顺城', { lat: 41.883, lng: 123.945 }, 532.4, 1377.8],
]

describe('datums of Chinese maps', () => {
  it.each(PLACES)('%s moves as far as it is known to', (_name, at, gcj, bd) => {
    expect(Math.abs(distanceM(at, fromWgs84(at, 'gcj02')) - gcj)).toBeLessThan(1.5)
    expect(Math.abs(distanceM(at, fromWgs84(at, 'bd09')) - bd)).toBeLessThan(3)
  })

  it.each(PLACES)('%s comes back to a centimetre from GCJ-02, to a foot from BD-09', (_name, at) => {
    expect(distanceM(at, toWgs84(fromWgs84(at, 'gcj02'), 'gcj02'))).toBeLessThan(0.01)
    expect(distanceM(at, toWgs84(fromWgs84(at, 'bd09'), 'bd09'))).toBeLessThan(0.3)
  })

  it('agrees with the published check value', () => {
    const wgs = toWgs84({ lat: 30.279164, lng: 120.026268 }, 'gcj02')
    expect(distanceM(wgs, { lat: 30.281543, lng: 120.021519 })).toBeLessThan(4) // published with a one-step inverse
    expect(distanceM(fromWgs84(wgs, 'bd09'), { lat: 30.285238, lng: 120.032768 })).toBeLessThan(1)
  })

  it('leaves other countries alone', () => {
    const paris = { lat: 48.8566, lng: 2.3522 }
    expect(fromWgs84(paris, 'bd09')).toEqual(paris)
    expect(toWgs84(paris, 'gcj02')).toEqual(paris)
  })
})

describe('distance', () => {
  it('is that of the ellipsoid', () => {
    // Geodetic Survey's example: Flinders Peak to Buninyong, 54 972.271 m (GRS80, the same to a millimetre here).
    const flinders = { lat: -(37 + 57 / 60 + 3.7203 / 3600), lng: 144 + 25 / 60 + 29.5244 / 3600 }
    const buninyong = { lat: -(37 + 39 / 60 + 10.1561 / 3600), lng: 143 + 55 / 60 + 35.3839 / 3600 }
    expect(distanceM(flinders, buninyong)).toBeCloseTo(54972.271, 2)
    expect(distanceM(flinders, flinders)).toBe(0)
    expect(distanceM({ lat: 0, lng: 0 }, { lat: 0.3, lng: 179.7 })).toBeGreaterThan(19_900_000)
  })

  it('counts as there what the device cannot tell from there', () => {
    expect(within(499, 500, 10)).toBe(true)
    expect(within(520, 500, 10)).toBe(false)
    expect(within(520, 500, 600)).toBe(true)
  })
})

describe('hand-off to map apps', () => {
  const target = { lat: 41.883, lng: 123.945 }
  const numbers = (link: string) => decodeURIComponent(link).match(/\d+\.\d{6}/g)!.map(Number)

  it.each(MAP_APPS.map((app) => [app.name, app] as const))('%s is given the coordinates it speaks', (name, app) => {
    const link = app.link(target, '腰站村（饮水）')
    const [one, other] = numbers(link)
    const given = one! > 90 ? { lat: other!, lng: one! } : { lat: one!, lng: other! }
    expect(distanceM(toWgs84(given, app.datum), target)).toBeLessThan(0.5)
    expect(app.datum).toBe({ amap: 'gcj02', baidu: 'bd09', tencent: 'gcj02', geo: 'wgs84' }[name])
    expect(link).not.toMatch(/[（）\u4e00-\u9fff]/)
  })
})
