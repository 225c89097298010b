// Whose screens differ by what they are: leaders and offices look over an area, others do their own.
import { has } from '../session'

/** Looks over an area: the five numbers, what waits for a decision, the month. */
export function leads(): boolean {
  return has('supervision_leader', 'supervision_staff', 'leader_viewer', 'contract_leader')
}

/** Only that: no visits and no items of their own. */
export function onlyLeads(): boolean {
  return has('leader_viewer', 'contract_leader') && !has('inspector', 'team_lead', 'unit_handler', 'unit_principal', 'lead_unit_reviewer')
}
