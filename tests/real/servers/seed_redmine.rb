# Seed a fresh Redmine database: REST API on, an administrator's key, two people, a custom field that marks approval.
# Runs inside Redmine: `rails runner seed_redmine.rb`. Prints JSON.
Setting.rest_api_enabled = '1'

admin = User.find_by_login('admin')
admin.must_change_passwd = false
admin.password = admin.password_confirmation = 'adminadmin1'
admin.save!

def person(login, first, last)
  user = User.new(login: login, firstname: first, lastname: last, mail: "#{login}@northwind.example", language: 'en')
  user.login = login
  user.password = user.password_confirmation = 'personal-1'
  user.save!
  user
end

people = { 'dana' => person('dana', 'Dana', 'Reyes'), 'omar' => person('omar', 'Omar', 'Haddad') }
approval = TimeEntryCustomField.create!(name: 'Approved', field_format: 'bool', default_value: '0')
reference = IssueCustomField.create!(
  name: 'sync_ref', field_format: 'string', is_for_all: true, is_filter: true, searchable: false, trackers: Tracker.all
)
activity = TimeEntryActivity.where(active: true).first
activity.update!(is_default: true)

puts JSON.generate(
  api_key: admin.api_key,
  users: people.transform_values(&:id),
  user_keys: people.transform_values(&:api_key),
  approval_field: approval.name,
  approval_field_id: approval.id,
  reference_field_id: reference.id,
  activity_id: activity.id,
  roles: Role.givable.to_h { |role| [role.name, role.id] },
  trackers: Tracker.all.to_h { |tracker| [tracker.name, tracker.id] }
)
