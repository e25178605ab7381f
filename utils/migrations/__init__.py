"""Brings a database to the schema of `supabase/migrations`, and says where one differs from it.

The history is the one of Supabase's own CLI (`supabase_migrations.schema_migrations`), so that what either applied is
known to the other; a table beside it keeps each file's checksum, which the CLI does not.
"""

from utils.migrations.files import Migration, Status, checksum, parse_files, plan, split_statements
from utils.migrations.folder import MIGRATIONS, read_folder
from utils.migrations.runner import WAIT_SECONDS, migrate, status
from utils.migrations.statements import LOCK, MigrationReport

__all__ = [
    "LOCK",
    "MIGRATIONS",
    "WAIT_SECONDS",
    "Migration",
    "MigrationReport",
    "Status",
    "checksum",
    "migrate",
    "parse_files",
    "plan",
    "read_folder",
    "split_statements",
    "status",
]
