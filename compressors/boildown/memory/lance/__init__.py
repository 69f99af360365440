"""The store of messages for archives that outgrow one file, or live on object storage: LanceDB."""
