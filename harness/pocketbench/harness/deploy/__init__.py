"""Files on a device: placed by content, verified there, switched atomically, with the way back kept."""
