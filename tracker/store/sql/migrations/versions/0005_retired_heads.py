"""What the heads of deleted projects came to, in one row: the sum that an admin sees never goes down."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("retired_heads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
    )
    op.bulk_insert(installation, [{"id": 1, "retired_heads": 0}])


def downgrade() -> None:
    op.drop_table("installation")
