"""The doctor: is a device fit to be measured on, and if not, what mends it?"""
